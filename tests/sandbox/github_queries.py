"""The GraphQL queries the sandbox is asked in tests."""

PULL_REQUESTS = """
query($owner: String!, $name: String!, $after: String) {
  rateLimit { cost remaining resetAt limit used nodeCount }
  repository(owner: $owner, name: $name) {
    databaseId
    pullRequests(first: 50, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id databaseId fullDatabaseId number title url isDraft state
        createdAt updatedAt mergedAt closedAt
        author { __typename login } mergedBy { __typename login }
        baseRefName headRefName headRefOid mergeCommit { oid }
        additions deletions
        labels(first: 20) { nodes { name } }
        reviews(first: 50) {
          totalCount pageInfo { hasNextPage endCursor }
          nodes { databaseId state submittedAt author { __typename login } }
        }
        commits(first: 100) {
          totalCount pageInfo { hasNextPage endCursor }
          nodes { commit { oid authoredDate committedDate messageHeadline
            author { name email user { login } } } }
        }
        timelineItems(first: 50, itemTypes: [READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT]) {
          totalCount
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
"""

REPOSITORIES = """
query($login: String!, $after: String) {
  organization(login: $login) {
    repositories(first: 50, after: $after, orderBy: {field: PUSHED_AT, direction: DESC}) {
      totalCount pageInfo { hasNextPage endCursor startCursor hasPreviousPage }
      nodes {
        id databaseId name nameWithOwner url description visibility
        createdAt updatedAt pushedAt archivedAt
        isArchived isFork isTemplate isMirror isEmpty isPrivate isDisabled diskUsage sshUrl
        owner { __typename login }
        primaryLanguage { name }
        defaultBranchRef { name prefix target { __typename oid } }
        deployments(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) {
          nodes { databaseId updatedAt }
        }
        releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) {
          nodes { databaseId tagName isPrerelease isDraft isLatest createdAt publishedAt
            author { __typename login } tagCommit { oid } name url }
        }
        refs(refPrefix: "refs/tags/", first: 5) {
          totalCount
          edges { cursor node { name target { __typename oid
            ... on Tag { name message tagger { name email date } target { __typename oid } } } } }
        }
      }
    }
  }
}
"""

DEPLOYMENTS = """
query($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    deployments(first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes {
        databaseId environment originalEnvironment latestEnvironment commitOid
        createdAt updatedAt state task description payload
        ref { name prefix } creator { __typename login avatarUrl url }
        commit { oid message url parents(first: 2) { nodes { oid } } }
        latestStatus { state createdAt }
        statuses(first: 30) {
          nodes { state createdAt updatedAt environment description logUrl environmentUrl
            creator { __typename login } }
        }
      }
    }
    issues(first: 10, orderBy: {field: UPDATED_AT, direction: ASC}) {
      nodes { databaseId number title body url state closed createdAt updatedAt closedAt
        author { __typename login } labels(first: 5) { nodes { id name color isDefault } } }
    }
    latestRelease { tagName tag { name } description updatedAt }
    pullRequest(number: 1) {
      body merged closed locked authorAssociation baseRefOid changedFiles headRef { name }
      assignees(first: 5) { nodes { login name email } }
      repository { nameWithOwner }
      reviews(first: 5) { edges { cursor node { fullDatabaseId body url createdAt updatedAt
        commit { abbreviatedOid } } } }
      commits(last: 1) { nodes { id url pullRequest { number } commit { committer { date } } } }
      timelineItems(first: 10) { filteredCount updatedAt pageInfo { startCursor } nodes {
        __typename ... on MergedEvent { createdAt actor { __typename login } commit { oid } } } }
    }
  }
}
"""

PEOPLE = """
query($login: String!) {
  viewer { login databaseId isSiteAdmin }
  organization(login: $login) {
    id databaseId login name url description createdAt updatedAt archivedAt avatarUrl
    repository(name: "dock") { nameWithOwner }
    teams(first: 50, orderBy: {field: NAME, direction: ASC}) {
      totalCount
      nodes { databaseId name slug description url privacy createdAt updatedAt
        parentTeam { databaseId }
        members(first: 100, membership: IMMEDIATE) { edges { role node { login databaseId } } } }
    }
    membersWithRole(first: 100) {
      edges { role node { id databaseId login name email url createdAt updatedAt } }
    }
  }
  search(type: ISSUE, query: "org:tideworks is:pr", first: 3) {
    issueCount repositoryCount pageInfo { hasNextPage endCursor }
    nodes { __typename ... on PullRequest { number updatedAt repository { databaseId } } }
  }
  nodes(ids: ["R_101", "PR_10001", "T_11", "RE_70000"]) { __typename id }
}
"""
