//! Roles and who is a member of which.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// In grants: everybody.
pub const PUBLIC: u32 = 0;

/// Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A row of `pg_authid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub oid: u32,
    pub name: String,
    pub superuser: bool,
    pub inherit: bool,
    pub create_role: bool,
    pub create_database: bool,
    pub can_login: bool,
    pub replication: bool,
    pub bypass_rls: bool,
    /// −1: none.
    pub connection_limit: i32,
    /// A SCRAM-SHA-256 verifier.
    pub password: Option<Secret>,
    /// µs since 2000-01-01 00:00 UTC.
    pub valid_until: Option<i64>,
}

impl Role {
    /// What CREATE ROLE makes without options.
    pub fn new(oid: u32, name: &str) -> Role {
        Role {
            oid,
            name: name.to_owned(),
            superuser: false,
            inherit: true,
            create_role: false,
            create_database: false,
            can_login: false,
            replication: false,
            bypass_rls: false,
            connection_limit: -1,
            password: None,
            valid_until: None,
        }
    }
}

/// A row of `pg_auth_members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "rights::Membership")]
pub struct Membership {
    pub role: u32,
    pub member: u32,
    pub grantor: u32,
    pub admin: bool,
}

/// All roles of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    roles: BTreeMap<u32, Role>,
    names: BTreeMap<String, u32>,
    memberships: Vec<Membership>,
    /// Who counts as a member of `pg_database_owner`.
    pub database_owner: u32,
}

impl Roles {
    /// None yet.
    pub fn new(database_owner: u32) -> Roles {
        Roles { database_owner, ..Roles::default() }
    }

    pub fn get(&self, oid: u32) -> Option<&Role> {
        self.roles.get(&oid)
    }

    pub fn named(&self, name: &str) -> Option<&Role> {
        self.roles.get(self.names.get(name)?)
    }

    /// The name of a role, as it is shown of one that is gone, too.
    pub fn name(&self, oid: u32) -> String {
        self.get(oid).map_or_else(|| oid.to_string(), |role| role.name.clone())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// Adds a role, or replaces the one of that OID.
    pub fn put(&mut self, role: Role) {
        if let Some(old) = self.roles.get(&role.oid) {
            self.names.remove(&old.name);
        }
        self.names.insert(role.name.clone(), role.oid);
        self.roles.insert(role.oid, role);
    }

    pub fn remove(&mut self, oid: u32) {
        if let Some(role) = self.roles.remove(&oid) {
            self.names.remove(&role.name);
        }
        self.memberships.retain(|m| m.role != oid && m.member != oid);
    }

    pub fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    pub fn membership(&self, role: u32, member: u32) -> Option<&Membership> {
        self.memberships.iter().find(|m| m.role == role && m.member == member)
    }

    /// Adds a membership, or replaces the one between the same roles.
    pub fn put_membership(&mut self, membership: Membership) {
        self.remove_membership(membership.role, membership.member);
        self.memberships.push(membership);
        self.memberships.sort_by_key(|m| (m.role, m.member));
    }

    pub fn remove_membership(&mut self, role: u32, member: u32) {
        self.memberships.retain(|m| (m.role, m.member) != (role, member));
    }

    pub fn is_superuser(&self, oid: u32) -> bool {
        self.get(oid).is_some_and(|role| role.superuser)
    }

    /// The roles whose rights a role has, itself first: it inherits them unless it, or a role on the way, is NOINHERIT.
    pub fn rights_of(&self, role: u32) -> Vec<u32> {
        self.reach(role, false)
    }

    fn reach(&self, role: u32, all: bool) -> Vec<u32> {
        let mut reached = vec![role];
        let mut known = BTreeSet::from([role]);
        let mut at = 0;
        while let Some(member) = reached.get(at).copied() {
            at += 1;
            if !all && !self.get(member).is_some_and(|r| r.inherit) {
                continue;
            }
            for m in self.memberships.iter().filter(|m| m.member == member) {
                if known.insert(m.role) {
                    reached.push(m.role);
                }
            }
            if member == self.database_owner && known.insert(super::DATABASE_OWNER) {
                reached.push(super::DATABASE_OWNER);
            }
        }
        reached
    }

    /// Whether a role has the rights of another one without SET ROLE.
    pub fn has_rights_of(&self, role: u32, other: u32) -> bool {
        role == other || self.is_superuser(role) || self.rights_of(role).contains(&other)
    }

    /// Whether a role may become another one.
    pub fn is_member(&self, role: u32, of: u32) -> bool {
        self.is_superuser(role) || self.is_member_by_grant(role, of)
    }

    /// As [`Self::is_member`], where superusers are nothing special.
    pub fn is_member_by_grant(&self, role: u32, of: u32) -> bool {
        role == of || self.reach(role, true).contains(&of)
    }

    /// Whether a role may make others members of one.
    pub fn is_admin(&self, role: u32, of: u32) -> bool {
        if self.is_superuser(role) {
            return true;
        }
        let mine = self.reach(role, true);
        role != of && self.memberships.iter().any(|m| m.role == of && m.admin && mine.contains(&m.member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        let mut roles = Roles { database_owner: 10, ..Roles::default() };
        for (oid, name, superuser, inherit) in
            [(10, "root", true, true), (1, "ann", false, true), (2, "team", false, false), (3, "company", false, true)]
        {
            roles.put(Role { superuser, inherit, ..Role::new(oid, name) });
        }
        roles.put_membership(Membership { role: 2, member: 1, grantor: 10, admin: true });
        roles.put_membership(Membership { role: 3, member: 2, grantor: 10, admin: false });
        roles
    }

    #[test]
    fn rights_pass_through_roles_that_inherit() {
        let mut roles = roles();
        assert!(roles.has_rights_of(1, 2) && !roles.has_rights_of(1, 3) && roles.is_member(1, 3));
        assert!(roles.has_rights_of(10, 3) && !roles.is_member_by_grant(10, 3));
        assert!(roles.is_admin(1, 2) && !roles.is_admin(1, 3) && !roles.is_admin(2, 2));
        roles.remove(2);
        assert!(!roles.is_member(1, 3) && roles.memberships().is_empty());
    }
}
