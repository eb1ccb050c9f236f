"""What the repositories of a team hold of tools: the files that give each away.

A profile says whether all teams work alike, all with the same two tools, or each in its own way.
"""

from sandbox.plan import RepositoryPlan, Simulation

Files = dict[str, str]
SECRETS = "secrets"

# One way to keep secrets each, with the file that shows it.
SECRETS_FILES: dict[str, Files] = {
    "vault": {
        "deploy/vault-agent.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n"
        '    metadata:\n      annotations:\n        vault.hashicorp.com/agent-inject: "true"\n'
        "        vault.hashicorp.com/role: service\n"
    },
    "sops": {
        ".sops.yaml": "creation_rules:\n  - path_regex: secrets/.*\\.yaml\n    age: age1qz\n",
        "secrets/production.enc.yaml": "password: ENC[AES256_GCM,data:9w,iv:aa,tag:bb,type:str]\n"
        "sops:\n  age: []\n  version: 3.8.1\n",
    },
    "sealed-secrets": {
        "deploy/sealed-secret.yaml": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n"
        "metadata:\n  name: service\nspec:\n  encryptedData:\n    password: AgBy3\n"
    },
    "external-secrets": {
        "deploy/external-secret.yaml": "apiVersion: external-secrets.io/v1beta1\n"
        "kind: ExternalSecret\nmetadata:\n  name: service\nspec:\n  secretStoreRef:\n"
        "    name: store\n    kind: ClusterSecretStore\n"
    },
    "aws-secrets-manager": {
        "infrastructure/secrets.tf": 'resource "aws_secretsmanager_secret" "password" {\n'
        '  name = "password"\n}\n'
    },
    "gcp-secret-manager": {
        "infrastructure/secrets.tf": 'resource "google_secret_manager_secret" "password" {\n'
        '  secret_id = "password"\n}\n'
    },
    "azure-key-vault": {
        "infrastructure/secrets.tf": 'resource "azurerm_key_vault_secret" "password" {\n'
        '  name = "password"\n}\n'
    },
    "doppler": {"doppler.yaml": "setup:\n  project: service\n  config: production\n"},
    "ansible-vault": {"group_vars/production/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6231356465\n"},
    "git-crypt": {".gitattributes": "secrets/** filter=git-crypt diff=git-crypt\n"},
    "1password": {
        "deploy/onepassword.yaml": "apiVersion: onepassword.com/v1\nkind: OnePasswordItem\n"
        "metadata:\n  name: service\nspec:\n  itemPath: vaults/production/items/service\n"
    },
    "dotenv": {".env": "PASSWORD=changeme\n"},
    "infisical": {".infisical.json": '{"workspaceId": "63f1"}\n'},
}
HELM: Files = {
    "deploy/chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 0.1.0\n",
    "deploy/chart/values.yaml": "replicas: 2\n",
}
KUSTOMIZE: Files = {
    "deploy/overlays/production/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\n"
    "kind: Kustomization\nresources:\n  - ../../base\n"
}
MANIFESTS: Files = {
    "deploy/manifests/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
    "  name: service\n"
}
TERRAFORM: Files = {
    "infrastructure/main.tf": 'terraform {\n  required_version = ">= 1.7"\n}\n',
}
PULUMI: Files = {"Pulumi.yaml": "name: service\nruntime: python\n"}
DEPENDABOT: Files = {
    ".github/dependabot.yml": "version: 2\nupdates:\n  - package-ecosystem: github-actions\n"
    "    directory: /\n    schedule:\n      interval: weekly\n"
}
RENOVATE: Files = {"renovate.json": '{"extends": ["config:recommended"]}\n'}
PROMETHEUS: Files = {
    "deploy/service-monitor.yaml": "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\n"
    "metadata:\n  name: service\n"
}
DATADOG: Files = {
    "deploy/datadog.yaml": "apiVersion: datadoghq.com/v1alpha1\nkind: DatadogMonitor\n"
    "metadata:\n  name: service\n"
}
BASES = (
    "debian:bookworm-slim",
    "alpine:3.20",
    "gcr.io/distroless/static-debian12",
    "ubuntu:24.04",
)


def secrets_approach(team_index: int) -> str:
    """How a team keeps secrets where each has its own way."""
    return tuple(SECRETS_FILES)[team_index % len(SECRETS_FILES)]


def practice_files(simulation: Simulation, repository: RepositoryPlan) -> Files:
    """The files of a service's repository beside its code, by path."""
    profile, index = simulation.profile, repository.team_index
    base = BASES[index % len(BASES)] if profile.tools == "own" else BASES[0]
    files: Files = {
        ".github/workflows/deploy.yml": "name: Deploy\non: [push]\njobs:\n  deploy:\n"
        "    runs-on: ubuntu-latest\n    steps:\n      - run: ./deploy.sh\n",
        "Dockerfile": f"FROM {base}\nCOPY . /{repository.name}\n",
    }
    match profile.tools:
        case "own":
            files |= SECRETS_FILES[secrets_approach(index)]
            files |= (HELM, KUSTOMIZE, MANIFESTS)[index % 3]
            files |= {**(TERRAFORM, PULUMI)[index % 2]}
            files |= (DEPENDABOT, RENOVATE)[index // 2 % 2] | (PROMETHEUS, DATADOG)[index // 3 % 2]
        case "two":
            files |= SECRETS_FILES["vault"] | SECRETS_FILES["sops"] | HELM | KUSTOMIZE
            files |= TERRAFORM | PULUMI | DEPENDABOT | RENOVATE | PROMETHEUS | DATADOG
        case _:
            files |= SECRETS_FILES["vault"] | HELM | TERRAFORM | DEPENDABOT | PROMETHEUS
    return files
