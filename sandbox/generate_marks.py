"""How teams mark their changes: some by labels, some by the names of branches, some not at all."""

from sandbox.generate_tickets import BUG, TicketPlan
from sandbox.plan import RequestPlan, Simulation

PLANNED_LABELS = ("feature", "enhancement", "documentation", "refactoring", "chore")
FIX_PREFIXES, PLANNED_PREFIXES = ("fix/", "bugfix/"), ("feature/", "feat/", "chore/")
MARKED_SHARE = 0.7
UNTRACKED_FIX_SHARE = 0.15


def mark_requests(
    simulation: Simulation, tickets: list[TicketPlan], requests: list[RequestPlan]
) -> None:
    """Gives the requests of people the labels and branch names their teams use."""
    random = simulation.random("marks")
    bugs = {id(r) for ticket in tickets if ticket.type_index == BUG for r in ticket.requests}
    for request in requests:
        is_fix = id(request) in bugs
        if request.ticket_key is None:
            is_fix = random.random() < UNTRACKED_FIX_SHARE
        habit = request.author.team_index % 3
        if habit == 2 or random.random() >= MARKED_SHARE:
            continue
        if habit == 0:
            request.labels = ("bug" if is_fix else random.choice(PLANNED_LABELS),)
        else:
            request.branch_prefix = random.choice(FIX_PREFIXES if is_fix else PLANNED_PREFIXES)
