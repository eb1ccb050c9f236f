"""Words the made-up organisation is built from."""


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


FIRST_NAMES = _words(
    "Aisha Amara Anouk Bram Camila Carlos Chen Dewi Elif Emeka Femke Freya Giulia Hana Henk Ines "
    "Ingrid Ivan Jamal Jasper Joana Jonas José Kaito Katja Kofi Lars Leila Lena Lotte Luca Łukasz "
    "Maarten Malik Mara Marta Mateo Mehmet Mila Naoko Nadia Nils Noor Oksana Omar Paula Pieter "
    "Priya Rafael Ravi Renée Rosa Ruben Sanne Sara Seán Sofia Søren Tariq Thijs Tomás Uma Viktor "
    "Wei Willem Yara Yusuf Zoë"
)

LAST_NAMES = _words(
    "Abebe Adeyemi Ahmed Álvarez Bakker Banerjee Becker Bergström Bos Brouwer Chaudhry Costa "
    "Dekker Demir Dijkstra Eriksen Fernandes Fischer Fontaine García Goossens Grünwald Haddad "
    "Hansen Hoekstra Horvat Hughes Ivanova Jansen Kaya Keller Kovács Kumar Laurent Lindqvist "
    "Lopes Maas Martínez Mensah Meyer Molenaar Moreau Mulder Müller Nakamura Nguyen Novák Nowak "
    "Ødegård Okafor Oliveira Papadakis Patel Peeters Petrova Postma Quintero Rossi Sato Schouten "
    "Silva Smit Suzuki Takács Visser Vogel Vries Weber Willems Yılmaz Zhang Zijlstra"
)

GROUPS = (
    ("commerce", "Commerce", "COM"),
    ("logistics", "Logistics", "LOG"),
    ("finance", "Finance", "FIN"),
    ("customers", "Customers", "CUS"),
    ("foundation", "Foundation", "FND"),
)

TEAMS = (
    ("checkout", "Checkout"),
    ("catalogue", "Catalogue"),
    ("search", "Search"),
    ("warehouse", "Warehouse"),
    ("shipping", "Shipping"),
    ("routing", "Routing"),
    ("payments", "Payments"),
    ("billing", "Billing"),
    ("ledger", "Ledger"),
    ("accounts", "Accounts"),
    ("notifications", "Notifications"),
    ("support-tools", "Support tools"),
    ("data", "Data"),
    ("infrastructure", "Infrastructure"),
)

SERVICE_NOUNS = _words(
    "basket order price stock parcel route invoice payout refund ledger account session profile "
    "address mail push ticket report metric export import search suggest image review coupon tax "
    "carrier label pallet dock shift tariff quote credit risk fraud consent loyalty partner"
)

SERVICE_KINDS = ("api", "worker", "web", "gateway", "sync")

LANGUAGES = ("Python", "Go", "Java", "TypeScript", "Kotlin")

EXTENSIONS = {"Python": "py", "Go": "go", "Java": "java", "TypeScript": "ts", "Kotlin": "kt"}

MODULES = _words("api cache client config events handlers jobs model parser queue schema storage")

VERBS = _words(
    "Add Allow Avoid Batch Cache Check Correct Drop Expose Extract Fix Handle Limit Log Move "
    "Name Paginate Prevent Reject Remove Rename Replace Retry Round Simplify Sort Split Store "
    "Test Trim Use Validate"
)

THINGS = _words(
    "address lookup|batch size|cache key|carrier codes|connection pool|currency rounding|"
    "customer export|date parsing|dead letters|delivery window|duplicate events|empty basket|"
    "error messages|feature flag|health endpoint|idempotency key|index on created_at|invoice "
    "lines|login throttling|memory use|message order|money type|null prices|order history|page "
    "tokens|parcel weight|payload size|price cache|queue consumer|rate limit|refund reasons|"
    "request ids|retry policy|search filters|session expiry|slow query|stock reservation|"
    "tax table|time zone handling|unit conversion|upload limit|webhook signature",
    "|",
)

SYMPTOMS = _words(
    "errors after sign-in|high latency|orders are stuck|pages do not load|queue grows|wrong totals|"
    "requests time out|out of memory|duplicate messages|stale prices|half of the calls fail",
    "|",
)

LIBRARIES = _words(
    "httpx polars pydantic starlette uvicorn react vite typescript jackson-core netty "
    "kotlin-stdlib grpc zap cobra alpine eslint"
)

REQUEST_TYPES = (
    "New database",
    "Access to an environment",
    "New service",
    "Change of a pipeline",
    "DNS or certificate",
    "More capacity",
)

REQUEST_SUMMARIES = (
    "Database for {service}",
    "Production access for {name}",
    "Set up {service}",
    "Pipeline of {service} fails at packaging",
    "Certificate of {service} expires",
    "More memory for {service}",
)

TICKET_COMPONENTS = ("backend", "frontend", "operations", "reporting")
