"""The GraphQL texts that GitHub is asked; a test validates each against the vendor's schema."""

_PLACE = "fragment place on PageInfo { hasNextPage endCursor }\n"
_ACTOR = "fragment actor on Actor { __typename login }\n"

_REPOSITORY = """
fragment repository on Repository {
  id databaseId name nameWithOwner url createdAt updatedAt pushedAt archivedAt
  isArchived isFork isTemplate isMirror visibility
  primaryLanguage { name }
  defaultBranchRef { name target { oid } }
  branches: refs(refPrefix: "refs/heads/", first: 1) { totalCount }
  tags: refs(
    refPrefix: "refs/tags/", first: 1, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}
  ) {
    totalCount nodes { name target { oid } }
  }
  pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { updatedAt }
  }
  issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { updatedAt }
  }
  deployments(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) {
    totalCount nodes { databaseId updatedAt state }
  }
  releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) {
    totalCount nodes { databaseId updatedAt }
  }
}
"""

REPOSITORIES = (
    """
query Repositories($login: String!, $first: Int!, $after: String) {
  organization(login: $login) {
    repositories(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: ASC}) {
      pageInfo { ...place } nodes { ...repository }
    }
  }
}
"""
    + _PLACE
    + _REPOSITORY
)

TEAMS = (
    """
query Teams($login: String!, $first: Int!, $after: String) {
  organization(login: $login) {
    teams(first: $first, after: $after, orderBy: {field: NAME, direction: ASC}) {
      pageInfo { ...place }
      nodes {
        id databaseId name slug updatedAt parentTeam { databaseId }
        members(first: 100, membership: IMMEDIATE) {
          pageInfo { ...place } edges { role node { login } }
        }
      }
    }
  }
}
"""
    + _PLACE
)

TEAM_MEMBERS = (
    """
query TeamMembers($id: ID!, $after: String) {
  node(id: $id) {
    ... on Team {
      id databaseId
      members(first: 100, after: $after, membership: IMMEDIATE) {
        pageInfo { ...place } edges { role node { login } }
      }
    }
  }
}
"""
    + _PLACE
)

ACCOUNTS = (
    """
query Accounts($login: String!, $first: Int!, $after: String) {
  organization(login: $login) {
    membersWithRole(first: $first, after: $after) {
      pageInfo { ...place } nodes { login name email updatedAt }
    }
  }
}
"""
    + _PLACE
)
# GitHub refuses the whole query to tokens that may not read e-mail addresses.
ACCOUNTS_WITHOUT_EMAIL = ACCOUNTS.replace(" email ", " ")

_REVIEWS = """
fragment reviews on PullRequestReviewConnection {
  pageInfo { ...place } nodes { fullDatabaseId state submittedAt author { ...actor } }
}
"""
_COMMITS = """
fragment commits on PullRequestCommitConnection {
  pageInfo { ...place }
  nodes { commit { oid authoredDate committedDate messageHeadline author { email } } }
}
"""

CHANGE_REQUESTS = (
    """
query ChangeRequests($id: ID!, $first: Int!, $after: String, $direction: OrderDirection!) {
  node(id: $id) {
    ... on Repository {
      pullRequests(
        first: $first, after: $after, orderBy: {field: UPDATED_AT, direction: $direction}
      ) {
        pageInfo { ...place }
        nodes {
          id fullDatabaseId number title url isDraft createdAt updatedAt mergedAt closedAt
          author { ...actor }
          mergedBy { ...actor }
          baseRefName headRefName headRefOid
          mergeCommit { oid }
          additions deletions
          labels(first: 20) { nodes { name } }
          reviews(first: 50, states: [APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED]) {
            ...reviews
          }
          commits(first: 100) { ...commits }
          timelineItems(first: 20, itemTypes: [READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT]) {
            nodes {
              __typename
              ... on ReadyForReviewEvent { createdAt }
              ... on ConvertToDraftEvent { createdAt }
            }
          }
        }
      }
    }
  }
}
"""
    + _PLACE
    + _ACTOR
    + _REVIEWS
    + _COMMITS
)

MORE_REVIEWS = (
    """
query MoreReviews($id: ID!, $after: String) {
  node(id: $id) {
    ... on PullRequest {
      reviews(
        first: 100, after: $after, states: [APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED]
      ) { ...reviews }
    }
  }
}
"""
    + _PLACE
    + _ACTOR
    + _REVIEWS
)

MORE_COMMITS = (
    """
query MoreCommits($id: ID!, $after: String) {
  node(id: $id) {
    ... on PullRequest { commits(first: 100, after: $after) { ...commits } }
  }
}
"""
    + _PLACE
    + _COMMITS
)

_STATUSES = """
fragment statuses on DeploymentStatusConnection {
  pageInfo { ...place } nodes { id state createdAt logUrl }
}
"""

DEPLOYMENTS = (
    """
query Deployments($id: ID!, $first: Int!, $after: String, $direction: OrderDirection!) {
  node(id: $id) {
    ... on Repository {
      deployments(
        first: $first, after: $after, orderBy: {field: CREATED_AT, direction: $direction}
      ) {
        pageInfo { ...place }
        nodes {
          id databaseId environment commitOid createdAt updatedAt state
          ref { name }
          creator { ...actor }
          statuses(first: 50) { ...statuses }
        }
      }
    }
  }
}
"""
    + _PLACE
    + _ACTOR
    + _STATUSES
)

MORE_STATUSES = (
    """
query MoreStatuses($id: ID!, $after: String) {
  node(id: $id) {
    ... on Deployment { statuses(first: 100, after: $after) { ...statuses } }
  }
}
"""
    + _PLACE
    + _STATUSES
)

RELEASES = (
    """
query Releases($id: ID!, $first: Int!, $after: String, $direction: OrderDirection!) {
  node(id: $id) {
    ... on Repository {
      releases(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: $direction}) {
        pageInfo { ...place }
        nodes { databaseId tagName tagCommit { oid } isPrerelease createdAt publishedAt updatedAt }
      }
    }
  }
}
"""
    + _PLACE
)

ISSUES = (
    """
query Issues($id: ID!, $first: Int!, $after: String, $since: DateTime) {
  node(id: $id) {
    ... on Repository {
      issues(
        first: $first, after: $after, filterBy: {since: $since}
        orderBy: {field: UPDATED_AT, direction: ASC}
      ) {
        pageInfo { ...place }
        nodes {
          id fullDatabaseId number title body url state stateReason createdAt updatedAt closedAt
          author { ...actor }
          assignees(first: 1) { nodes { login } }
          labels(first: 20) { nodes { name } }
          timelineItems(first: 50, itemTypes: [CLOSED_EVENT, REOPENED_EVENT]) {
            nodes {
              __typename
              ... on ClosedEvent { id createdAt actor { ...actor } }
              ... on ReopenedEvent { id createdAt actor { ...actor } }
            }
          }
        }
      }
    }
  }
}
"""
    + _PLACE
    + _ACTOR
)

DIAGNOSIS = """
query Diagnosis($login: String!) {
  organization(login: $login) { login repositories(first: 1) { totalCount } }
}
"""


def named_repositories(count: int) -> str:
    """One query for so many repositories given by owner and name."""
    numbers = range(count)
    variables = ", ".join(f"$owner{n}: String!, $name{n}: String!" for n in numbers)
    fields = "\n  ".join(
        f"r{n}: repository(owner: $owner{n}, name: $name{n}) {{ ...repository }}" for n in numbers
    )
    return f"query NamedRepositories({variables}) {{\n  {fields}\n}}\n{_REPOSITORY}"


def texts() -> dict[str, str]:
    """Every query by its name."""
    return {
        "repositories": REPOSITORIES,
        "named_repositories": named_repositories(2),
        "teams": TEAMS,
        "team_members": TEAM_MEMBERS,
        "accounts": ACCOUNTS,
        "accounts_without_email": ACCOUNTS_WITHOUT_EMAIL,
        "change_requests": CHANGE_REQUESTS,
        "more_reviews": MORE_REVIEWS,
        "more_commits": MORE_COMMITS,
        "deployments": DEPLOYMENTS,
        "more_statuses": MORE_STATUSES,
        "releases": RELEASES,
        "issues": ISSUES,
        "diagnosis": DIAGNOSIS,
    }
