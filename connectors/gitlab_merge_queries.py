"""What GraphQL of GitLab is asked about merge requests.

A query may be 10,000 characters long and 250 complex: one a field, more for lists by their size.
Bodies of comments are not asked for; those of the system's notes say what happened.
"""

from connectors.gitlab_people import USER_FIELDS

_PLACE = "pageInfo { hasNextPage endCursor }"
_COMMIT = "nodes { sha title authoredDate committedDate authorEmail }"
_COMMENT = f"nodes {{ id system createdAt author {{ {USER_FIELDS} }} }}"
_ACTIVITY = f"nodes {{ id system createdAt body author {{ {USER_FIELDS} }} }}"

DETAILS_QUERY = f"""
query($path: ID!, $iids: [String!], $first: Int!) {{
  project(fullPath: $path) {{
    mergeRequests(iids: $iids, first: $first) {{
      nodes {{
        iid
        commitCount
        diffStatsSummary {{ additions deletions }}
        author {{ {USER_FIELDS} }}
        mergeUser {{ {USER_FIELDS} }}
        commits(first: 100) {{ {_PLACE} {_COMMIT} }}
        activity: notes(filter: ONLY_ACTIVITY, first: 100) {{ {_PLACE} {_ACTIVITY} }}
        comments: notes(filter: ONLY_COMMENTS, first: 100) {{ {_PLACE} {_COMMENT} }}
      }}
    }}
  }}
}}
"""


def _more(inside: str) -> str:
    return f"""
query($path: ID!, $iid: String!, $after: String) {{
  project(fullPath: $path) {{ mergeRequest(iid: $iid) {{ {inside} }} }}
}}
"""


# The rest of a list inside a merge request, by the name the list has in the details.
MORE_QUERIES = {
    "commits": _more(f"commits(first: 100, after: $after) {{ {_PLACE} {_COMMIT} }}"),
    "activity": _more(
        f"notes(filter: ONLY_ACTIVITY, first: 100, after: $after) {{ {_PLACE} {_ACTIVITY} }}"
    ),
    "comments": _more(
        f"notes(filter: ONLY_COMMENTS, first: 100, after: $after) {{ {_PLACE} {_COMMENT} }}"
    ),
}
LISTS = {"commits": "commits", "activity": "notes", "comments": "notes"}
