//! Roles, owners and grants as the catalog has them.
//!
//! They are rows of the database's own system tables: CREATE ROLE and GRANT are changes of the schema, in one order with
//! everything else. What is a cluster's in PostgreSQL ([`Rights::roles`] and [`Rights::settings`]) is changed in one database,
//! the home, and told to all others (see `ddl::roles::feed`).
//!
//! Objects that belong to the first superuser, and those without grants, are not listed.

use super::{Catalog, Loader, Row};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{self, Acl, BOOTSTRAP, Kind, Membership, Mode, Role, Roles, Secret};
use crate::types::array::{self, Array};
use crate::types::{Own, Type};
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An object by its class (the OID of the system table that lists it) and its OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Object {
    pub class: u32,
    pub oid: u32,
}

impl Object {
    /// This database.
    pub const DATABASE: Object = Object { class: 1262, oid: 0 };

    pub const fn relation(oid: u32) -> Object {
        Object { class: 1259, oid }
    }
    pub const fn schema(oid: u32) -> Object {
        Object { class: 2615, oid }
    }
    pub const fn of_type(oid: u32) -> Object {
        Object { class: 1247, oid }
    }
    pub const fn extension(oid: u32) -> Object {
        Object { class: 3079, oid }
    }
    pub const fn language(oid: u32) -> Object {
        Object { class: 2612, oid }
    }
}

/// A key of `pg_default_acl`: of whose objects, in which schema (0: any), of which kind.
pub type DefaultKey = (u32, u32, String);

/// Who owns what, and who may do what with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub roles: Arc<Roles>,
    pub owners: BTreeMap<Object, u32>,
    /// Grants by object and column (0: the object itself).
    pub acls: BTreeMap<(Object, i16), Acl>,
    /// Default privileges, with the OIDs of their rows.
    pub defaults: BTreeMap<DefaultKey, (u32, Acl)>,
    /// Settings `name=value` by database (0: any) and role (0: any).
    pub settings: BTreeMap<(u32, u32), Vec<String>>,
    /// Of which version of the home's catalog the roles and settings are, as they were told last; 0 in the home.
    pub told: u64,
}

/// What a login has to know of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub oid: u32,
    pub can_login: bool,
    pub superuser: bool,
    /// A SCRAM-SHA-256 verifier.
    pub verifier: Option<Secret>,
    /// The password counts until then: µs since 2000-01-01 00:00 UTC.
    pub valid_until: Option<i64>,
    /// −1: none.
    pub connection_limit: i32,
}

/// A database, a role, and what is set for them now.
type SettingsChange = ((u32, u32), Option<Vec<String>>);

/// What makes one state of the rights of another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RightsChange {
    roles: Option<Arc<Roles>>,
    owners: Vec<(Object, Option<u32>)>,
    acls: Vec<((Object, i16), Option<Acl>)>,
    defaults: Vec<(DefaultKey, Option<(u32, Acl)>)>,
    settings: Vec<SettingsChange>,
    told: u64,
}

fn difference<K: Ord + Clone, V: PartialEq + Clone>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Vec<(K, Option<V>)> {
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    changed.map(|(k, v)| (k.clone(), Some(v.clone()))).chain(gone.map(|k| (k.clone(), None))).collect()
}

fn apply<K: Ord + Clone, V: Clone>(map: &mut BTreeMap<K, V>, change: &[(K, Option<V>)]) {
    for (key, value) in change {
        match value {
            Some(value) => drop(map.insert(key.clone(), value.clone())),
            None => drop(map.remove(key)),
        }
    }
}

impl Rights {
    pub(super) fn change_from(&self, old: &Rights) -> RightsChange {
        RightsChange {
            roles: (self.roles != old.roles).then(|| Arc::clone(&self.roles)),
            owners: difference(&old.owners, &self.owners),
            acls: difference(&old.acls, &self.acls),
            defaults: difference(&old.defaults, &self.defaults),
            settings: difference(&old.settings, &self.settings),
            told: self.told,
        }
    }

    pub(super) fn apply(&mut self, change: &RightsChange) {
        self.roles = change.roles.clone().unwrap_or_else(|| Arc::clone(&self.roles));
        apply(&mut self.owners, &change.owners);
        apply(&mut self.acls, &change.acls);
        apply(&mut self.defaults, &change.defaults);
        apply(&mut self.settings, &change.settings);
        self.told = change.told;
    }

    /// Forgets what is said of a relation.
    pub fn forget(&mut self, relation: u32) {
        self.forget_object(Object::relation(relation));
    }

    pub fn forget_object(&mut self, object: Object) {
        self.owners.remove(&object);
        let known: Vec<(Object, i16)> =
            self.acls.range((object, i16::MIN)..=(object, i16::MAX)).map(|(key, _)| *key).collect();
        known.iter().for_each(|key| drop(self.acls.remove(key)));
    }

    pub fn owner(&self, object: Object) -> u32 {
        self.owners.get(&object).copied().unwrap_or(BOOTSTRAP)
    }

    pub fn set_owner(&mut self, object: Object, owner: u32) {
        match owner {
            BOOTSTRAP => drop(self.owners.remove(&object)),
            owner => drop(self.owners.insert(object, owner)),
        }
    }

    pub fn acl(&self, object: Object, column: i16) -> Option<&Acl> {
        self.acls.get(&(object, column))
    }

    /// The rights of `asked` that a role has on an object as a whole.
    pub fn held(&self, role: u32, kind: Kind, object: Object, asked: Mode) -> Mode {
        rights::held(&self.roles, role, kind, self.owner(object), self.acl(object, 0), asked)
    }

    /// Those that it has on a column, beside those on the whole.
    pub fn held_on_column(&self, role: u32, relation: Object, column: i16, asked: Mode) -> Mode {
        let owner = self.owner(relation);
        match self.acl(relation, column) {
            Some(acl) => rights::held(&self.roles, role, Kind::Column, owner, Some(acl), asked),
            None if self.roles.is_superuser(role) => asked,
            None => 0,
        }
    }

    /// Whether a role may do what only an owner may.
    pub fn owns(&self, role: u32, object: Object) -> bool {
        self.roles.has_rights_of(role, self.owner(object))
    }
}

impl Catalog {
    /// An empty one with one role.
    #[cfg(test)]
    pub fn of_superuser(name: &str) -> Catalog {
        let mut roles = Roles::new(BOOTSTRAP);
        roles.put(Role { superuser: true, can_login: true, ..Role::new(BOOTSTRAP, name) });
        Catalog { rights: Rights { roles: Arc::new(roles), ..Rights::default() }, ..Catalog::default() }
    }

    /// What a login under this name has to know; `None` if there is no such role.
    pub fn login(&self, name: &str) -> Option<Login> {
        let role = self.rights.roles.named(name)?;
        Some(Login {
            oid: role.oid,
            can_login: role.can_login,
            superuser: role.superuser,
            verifier: role.password.clone(),
            valid_until: role.valid_until,
            connection_limit: role.connection_limit,
        })
    }

    /// What ALTER ROLE … SET and ALTER DATABASE … SET say for sessions of a role in a database, in the order in which they are to be
    /// assigned: the last one counts.
    pub fn settings_of(&self, role: &str, database: u32) -> Vec<(String, String)> {
        let role = self.rights.roles.named(role).map_or(0, |role| role.oid);
        let places = [(0, 0), (database, 0), (0, role), (database, role)];
        let values = places.iter().filter_map(|place| self.rights.settings.get(place)).flatten();
        values.filter_map(|text| text.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    /// The role of a name. Errors: 42704.
    pub fn role(&self, name: &str) -> SqlResult<&Role> {
        self.rights.roles.named(name).ok_or_else(|| no_role(name))
    }
}

pub fn no_role(name: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}

/// Grants as a literal of SQLite's, as the system tables keep them.
pub fn acl_literal(roles: &Roles, acl: Option<&Acl>) -> SqlResult<String> {
    let Some(acl) = acl else { return Ok("NULL".to_owned()) };
    let items: Vec<Value> = acl.texts(roles).into_iter().map(Value::Text).collect();
    array_literal(Type::ACLITEM, &items)
}

/// An array as a literal of SQLite's.
pub fn array_literal(element: Type, items: &[Value]) -> SqlResult<String> {
    let bytes = array::build(element, items)?;
    Ok(format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

pub(super) fn texts(row: &Row, i: usize) -> SqlResult<Option<Vec<String>>> {
    let Some(Value::Blob(bytes)) = row.0.get(i) else { return Ok(None) };
    let array = Array::read(bytes)?;
    Ok(Some(array.iter().map(|item| String::from_utf8_lossy(item.unwrap_or_default()).into_owned()).collect()))
}

fn acl(roles: &Roles, row: &Row, i: usize) -> SqlResult<Option<Acl>> {
    let texts = texts(row, i)?;
    texts.map(|texts| Acl::read(roles, texts.iter().map(String::as_str))).transpose()
}

type Rows<'r> = &'r mut dyn FnMut(&str) -> SqlResult<Vec<Row>>;

impl Loader {
    /// Roles and whatever is not a relation's: all of it, each time.
    pub(super) fn rights(&mut self, rows: Rows<'_>) -> SqlResult<()> {
        let mut roles = read_roles(rows)?;
        let databases = rows("SELECT datdba, told, datacl FROM \"_quorate_database\"")?;
        let database = databases.first();
        roles.database_owner = database.map_or(BOOTSTRAP, |row| row.oid(0));
        let mut rights = std::mem::take(&mut self.catalog.rights);
        rights.owners.retain(|object, _| object.class == 1259);
        rights.acls.retain(|(object, _), _| object.class == 1259);
        rights.told = database.map_or(0, |row| row.int(1) as u64);
        if let Some(row) = database {
            rights.set_owner(Object::DATABASE, row.oid(0));
            rights.acls.extend(acl(&roles, row, 2)?.map(|acl| ((Object::DATABASE, 0), acl)));
        }
        let owned = |oid: &str, table: &str, prefix: &str, filter: &str| {
            format!(
                "SELECT {oid}, {prefix}owner, {prefix}acl FROM \"pg_catalog.{table}\"
                WHERE ({prefix}owner <> {BOOTSTRAP} OR {prefix}acl IS NOT NULL) AND {filter}"
            )
        };
        // All but those of rows, which are their relations'.
        let types = format!("oid >= {} AND oid < {}", Own::Enum.oids().start, Own::Row.oids().start);
        for (class, sql) in [
            (2615, owned("oid", "pg_namespace", "nsp", "1")),
            (2612, owned("oid", "pg_language", "lan", "1")),
            (1247, owned("oid", "pg_type", "typ", &types)),
            (1259, owned("oid", "pg_class", "rel", &self.wanted("oid"))),
        ] {
            for row in rows(&sql)? {
                let object = Object { class, oid: row.oid(0) };
                rights.set_owner(object, row.oid(1));
                rights.acls.extend(acl(&roles, &row, 2)?.map(|acl| ((object, 0), acl)));
            }
        }
        for row in
            rows(&format!("SELECT oid, extowner FROM \"pg_catalog.pg_extension\" WHERE extowner <> {BOOTSTRAP}"))?
        {
            rights.set_owner(Object::extension(row.oid(0)), row.oid(1));
        }
        let columns = format!(
            "SELECT attrelid, attnum, attacl FROM \"pg_catalog.pg_attribute\" WHERE attacl IS NOT NULL AND {}",
            self.wanted("attrelid")
        );
        for row in rows(&columns)? {
            let key = (Object::relation(row.oid(0)), row.attnum(1));
            rights.acls.extend(acl(&roles, &row, 2)?.map(|acl| (key, acl)));
        }
        rights.defaults.clear();
        let defaults = "SELECT oid, defaclrole, defaclnamespace, defaclobjtype, defaclacl
            FROM \"pg_catalog.pg_default_acl\"";
        for row in rows(defaults)? {
            let acl = acl(&roles, &row, 4)?.unwrap_or_default();
            rights.defaults.insert((row.oid(1), row.oid(2), row.text(3)), (row.oid(0), acl));
        }
        rights.settings.clear();
        for row in rows("SELECT setdatabase, setrole, setconfig FROM \"pg_catalog.pg_db_role_setting\"")? {
            rights.settings.insert((row.oid(0), row.oid(1)), texts(&row, 2)?.unwrap_or_default());
        }
        rights.roles = Arc::new(roles);
        self.catalog.rights = rights;
        Ok(())
    }
}

fn read_roles(rows: Rows<'_>) -> SqlResult<Roles> {
    let mut roles = Roles::default();
    let authid = "SELECT oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
          rolbypassrls, rolconnlimit, rolpassword, rolvaliduntil
        FROM \"pg_catalog.pg_authid\" ORDER BY oid";
    for row in rows(authid)? {
        roles.put(Role {
            oid: row.oid(0),
            name: row.text(1),
            superuser: row.flag(2),
            inherit: row.flag(3),
            create_role: row.flag(4),
            create_database: row.flag(5),
            can_login: row.flag(6),
            replication: row.flag(7),
            bypass_rls: row.flag(8),
            connection_limit: row.int(9) as i32,
            password: row.optional(10).map(Secret),
            valid_until: match row.0.get(11) {
                Some(Value::Int(micros)) => Some(*micros),
                _ => None,
            },
        });
    }
    for row in rows("SELECT roleid, member, grantor, admin_option FROM \"pg_catalog.pg_auth_members\"")? {
        let (role, member, grantor, admin) = (row.oid(0), row.oid(1), row.oid(2), row.flag(3));
        roles.put_membership(Membership { role, member, grantor, admin });
    }
    Ok(roles)
}
