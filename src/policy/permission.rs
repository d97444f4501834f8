//! Permissions of Backstage plugins, by name and by number

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::ConfigError,
    json::{self, At, Value},
    limits,
};

/// The action attribute of a permission
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `create`
    Create,
    /// `read`
    Read,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// A permission as its plugin declares it
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permission {
    /// Such as `catalog.entity.delete`
    pub name: String,
    /// `attributes.action`, where declared
    #[serde(default)]
    pub action: Option<Action>,
    /// Such as `catalog-entity`; absent for permissions without a resource
    #[serde(default)]
    pub resource_type: Option<String>,
}

impl Action {
    /// Every one, in the order in which they are declared
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// Reads one
    pub fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        let number = at.word(&["create", "read", "update", "delete"])?;
        Ok(Self::ALL.get(number).copied().unwrap_or(Self::Read))
    }
}

/// The one type of resource that has an owner
pub const CATALOG_ENTITY: &str = "catalog-entity";

impl Permission {
    /// From JSON text
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = json::value(text).map_err(|mistake| ConfigError::new("permission", mistake.message))?;
        let at = At::root(&document, "permission");
        at.members(&["name", "action", "resourceType"])?;
        let action = at.member("action").filter(|action| *action.value() != Value::Null);
        Ok(Self {
            name: at.needed("name")?.text("a string")?.into(),
            action: action.as_ref().map(Action::read).transpose()?,
            resource_type: at.optional_text("resourceType")?.map(Into::into),
        })
    }

    /// Whether ownership can be asked of its resources
    pub fn has_owner(&self) -> bool {
        self.resource_type.as_deref() == Some(CATALOG_ENTITY)
    }
}

/// The number of a permission; valid as long as the engine
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PermissionId(u32);

impl PermissionId {
    /// As it crosses the boundary
    pub const fn number(self) -> u32 {
        self.0
    }

    /// From a number that crossed the boundary
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// As an index
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// All permissions that were ever asked about
#[derive(Debug, Default)]
pub struct Permissions {
    all: Vec<Permission>,
    ids: HashMap<Permission, PermissionId>,
}

impl Permissions {
    /// The number for a permission; `None` when there are more than [`limits::PERMISSIONS`], or its name is longer than any real one
    pub fn intern(&mut self, permission: Permission) -> Option<PermissionId> {
        if let Some(id) = self.ids.get(&permission) {
            return Some(*id);
        }
        if permission.name.len().max(permission.resource_type.as_ref().map_or(0, String::len))
            > limits::PERMISSION_BYTES
        {
            return None;
        }
        let id = PermissionId(u32::try_from(self.all.len()).ok().filter(|_| self.all.len() < limits::PERMISSIONS)?);
        self.all.push(permission.clone());
        self.ids.insert(permission, id);
        Some(id)
    }

    /// The permission with this number
    pub fn get(&self, id: PermissionId) -> Option<&Permission> {
        self.all.get(id.index())
    }
}

/// Which names a rule means
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `*`
    Any,
    /// `catalog.entity.*`: everything below, whole segments
    Below(Box<str>),
    /// An exact name
    Exact(Box<str>),
}

impl Pattern {
    /// From the written form; the reason when it is none
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let segment = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        match text.strip_suffix(".*") {
            _ if text == "*" => Ok(Self::Any),
            Some(prefix) if prefix.split('.').all(segment) => Ok(Self::Below(format!("{prefix}.").into())),
            None if text.split('.').all(segment) => Ok(Self::Exact(text.into())),
            _ => Err("a permission is an exact name, a prefix such as `catalog.entity.*`, or `*`"),
        }
    }

    /// `*`, the exact name, or the prefix with its last dot
    pub fn text(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Below(text) | Self::Exact(text) => text,
        }
    }

    /// Whether all names are meant that another pattern means
    pub fn includes(&self, other: &Self) -> bool {
        match other {
            Self::Any => *self == Self::Any,
            Self::Exact(name) => self.matches(name),
            // Below `a.b.` lies what lies below `a.`; names that end there are none.
            Self::Below(prefix) => {
                matches!(self, Self::Any) || matches!(self, Self::Below(wider) if prefix.starts_with(wider.as_ref()))
            }
        }
    }

    /// Whether the name is meant
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(prefix) => name.len() > prefix.len() && name.starts_with(prefix.as_ref()),
            Self::Exact(exact) => name == exact.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_whole_segments() {
        let below = Pattern::parse("catalog.entity.*").unwrap();
        assert!(below.matches("catalog.entity.read") && below.matches("catalog.entity.validate.deep"));
        for name in [
            "catalog.entity",
            "catalog.entity.",
            "catalog.entityx.read",
            "catalog.location.read",
            "x.catalog.entity.read",
        ] {
            assert!(!below.matches(name), "{name}");
        }
        assert!(Pattern::parse("*").unwrap().matches("anything"));
        assert!(!Pattern::parse("a.b").unwrap().matches("a.b.c"));
        for bad in ["", "catalog.*.read", "catalog.ent*", "**", ".*", "*.read", "a..b", "a b", "a.*.*"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_permission_is_read_strictly() {
        let read = |text: &str| Permission::parse(text);
        let full = read(r#"{"name":"a.b","action":"update","resourceType":"catalog-entity"}"#).unwrap();
        assert_eq!((full.name.as_str(), full.action, full.has_owner()), ("a.b", Some(Action::Update), true));
        let plain = Permission { name: "a.b".into(), action: None, resource_type: None };
        assert_eq!(read(r#"{"name":"a.b","action":null,"resourceType":null}"#), Ok(plain.clone()));
        assert_eq!(read(r#"{"name":"a.b"}"#), Ok(plain));
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"name":7}"#,
            r#"{"name":"a","action":"fly"}"#,
            r#"{"name":"a","resourceType":7}"#,
            r#"{"name":"a","resource_type":"x"}"#,
            r#"{"name":"a","name":"b"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_permission_has_one_number() {
        let mut permissions = Permissions::default();
        let read = Permission { name: "a.read".into(), action: Some(Action::Read), resource_type: None };
        let id = permissions.intern(read.clone()).unwrap();
        assert_eq!(permissions.intern(read.clone()), Some(id));
        assert_ne!(permissions.intern(Permission { action: None, ..read }), Some(id));
    }
}
