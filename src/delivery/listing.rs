//! What the commands that list the directory of a corp return.

use crate::api::{Department, Member, Tag};

/// The rows of a listing. All names are text from outside, and empty where WeCom does not tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// `list-departments`: each before those below it.
    Departments(Vec<Department>),
    /// `list-members`: each once.
    Members(Vec<Member>),
    /// `list-tags`.
    Tags(Vec<Tag>),
    /// `list-tag-members`: members, then departments.
    TagMembers(Vec<TagMember>),
}

/// A member or a department that has a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMember {
    /// Which of the two.
    pub kind: TagMemberKind,
    /// The userid, or the id of the department.
    pub id: String,
    /// Text from outside; empty too for a department that the app may not see.
    pub name: String,
}

/// What has a tag. The name in output is in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum TagMemberKind {
    /// A member.
    User,
    /// A department, with all its members.
    Department,
}

impl Listing {
    /// How many rows there are, and what they are called.
    pub fn counted(&self) -> String {
        let (count, one, several) = match self {
            Self::Departments(rows) => (rows.len(), "department", "departments"),
            Self::Members(rows) => (rows.len(), "member", "members"),
            Self::Tags(rows) => (rows.len(), "tag", "tags"),
            Self::TagMembers(rows) => (rows.len(), "member or department", "members and departments"),
        };
        format!("{count} {}", if count == 1 { one } else { several })
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// Whether no row has a name.
    pub(crate) fn is_nameless(&self) -> bool {
        self.names().all(str::is_empty)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Departments(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::Members(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::Tags(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::TagMembers(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
        }
    }
}
