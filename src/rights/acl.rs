//! Grants on one object: what they allow to whom, and how GRANT and REVOKE change them.

use super::{LETTERS, PUBLIC, Roles, options};
use crate::error::{SqlError, SqlResult, state};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Rights in the low 16 bits, the rights to grant them in the high ones.
pub type Mode = u32;

const LOW: Mode = 0xffff;

/// What one role has granted to another one, or to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub grantee: u32,
    pub grantor: u32,
    pub mode: Mode,
}

/// The grants on an object, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl(pub Vec<Item>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    Restrict,
    Cascade,
}

impl Acl {
    /// What of `asked` a role has: by itself, as everybody, or by the roles whose rights it has. The owner may always grant.
    pub fn held(&self, roles: &Roles, role: u32, owner: u32, asked: Mode) -> Mode {
        if asked == 0 || self.0.is_empty() && asked >> 16 == 0 {
            return 0;
        }
        let mine: BTreeSet<u32> = roles.rights_of(role).into_iter().collect();
        let is_mine = |grantee: u32| mine.contains(&grantee) || roles.is_superuser(role);
        let mut mode = if is_mine(owner) { !LOW } else { 0 };
        for item in &self.0 {
            if item.grantee == PUBLIC || is_mine(item.grantee) {
                mode |= item.mode;
            }
        }
        mode & asked
    }

    /// As [`Self::held`], without what comes from other roles.
    fn held_directly(&self, role: u32, owner: u32, asked: Mode) -> Mode {
        let own = if role == owner { !LOW } else { 0 };
        let granted = self.0.iter().filter(|item| item.grantee == role || item.grantee == PUBLIC);
        granted.fold(own, |mode, item| mode | item.mode) & asked
    }

    /// In whose name a role grants or revokes these rights, and which of them it may grant.
    pub fn best_grantor(&self, roles: &Roles, role: u32, owner: u32, rights: Mode) -> (u32, Mode) {
        let needed = options(rights);
        if role == owner || roles.is_superuser(role) {
            return (owner, rights);
        }
        let mut best = (role, 0u32);
        for other in roles.rights_of(role) {
            let may = self.held_directly(other, owner, needed) >> 16;
            if may.count_ones() > best.1.count_ones() {
                best = (other, may);
            }
            if may == rights {
                break;
            }
        }
        best
    }

    /// After a grant. Errors: 0LP01 for a right to grant that would come back to whom it came from.
    pub fn grant(&self, roles: &Roles, item: Item, owner: u32) -> SqlResult<Acl> {
        let given = item.mode >> 16;
        if given != 0 && item.grantor != owner {
            let mut without = self.clone();
            let back = |acl: &Acl| acl.0.iter().find(|i| i.grantee == item.grantee && i.mode >> 16 != 0).copied();
            while let Some(known) = back(&without) {
                without = without.revoke(roles, known, owner, Behavior::Cascade)?;
            }
            if given & !(without.held(roles, item.grantor, owner, options(given)) >> 16) != 0 {
                let message = "grant options cannot be granted back to your own grantor";
                return Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
            }
        }
        let mut acl = self.clone();
        match acl.0.iter_mut().find(|i| (i.grantee, i.grantor) == (item.grantee, item.grantor)) {
            Some(known) => known.mode |= item.mode,
            None => acl.0.push(item),
        }
        acl.0.retain(|item| item.mode != 0);
        Ok(acl)
    }

    /// After a REVOKE. Errors: 2BP01 if others have rights only because of what goes, unless they go, too.
    pub fn revoke(&self, roles: &Roles, item: Item, owner: u32, behavior: Behavior) -> SqlResult<Acl> {
        let mut acl = self.clone();
        let same = |i: &&mut Item| (i.grantee, i.grantor) == (item.grantee, item.grantor);
        let Some(known) = acl.0.iter_mut().find(same) else { return Ok(acl) };
        let before = known.mode;
        known.mode &= !item.mode;
        let lost = (before & !known.mode) >> 16;
        acl.0.retain(|item| item.mode != 0);
        if lost == 0 { Ok(acl) } else { acl.revoke_further(roles, item.grantee, lost, owner, behavior) }
    }

    /// What a role has granted that may not any more.
    fn revoke_further(
        mut self,
        roles: &Roles,
        grantor: u32,
        lost: Mode,
        owner: u32,
        behavior: Behavior,
    ) -> SqlResult<Acl> {
        if grantor == owner {
            return Ok(self);
        }
        let lost = lost & !(self.held(roles, grantor, owner, options(lost)) >> 16);
        while let Some(item) = self.0.iter().find(|i| i.grantor == grantor && i.mode & lost != 0).copied() {
            if behavior == Behavior::Restrict {
                let error = SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist");
                return Err(error.hint("Use CASCADE to revoke them too."));
            }
            let item = Item { mode: lost | options(lost), ..item };
            self = self.revoke(roles, item, owner, behavior)?;
        }
        Ok(self)
    }

    /// The grants after a change of the owner: what the old one had and gave is the new one's.
    pub fn with_owner(&self, old: u32, new: u32) -> Acl {
        let named = |oid: u32| if oid == old { new } else { oid };
        let mut acl = Acl::default();
        for item in &self.0 {
            let item = Item { grantee: named(item.grantee), grantor: named(item.grantor), mode: item.mode };
            match acl.0.iter_mut().find(|i| (i.grantee, i.grantor) == (item.grantee, item.grantor)) {
                Some(known) => known.mode |= item.mode,
                None => acl.0.push(item),
            }
        }
        acl
    }

    /// In the order in which PostgreSQL keeps default privileges.
    pub fn sorted(mut self) -> Acl {
        self.0.sort_by_key(|item| (item.grantee, item.grantor));
        self
    }

    /// Whether it says the same, in whatever order.
    pub fn says_the_same_as(&self, other: &Acl) -> bool {
        let has = |acl: &Acl, item: &Item| acl.0.contains(item);
        self.0.iter().all(|item| has(other, item)) && other.0.iter().all(|item| has(self, item))
    }

    /// Whether a role has granted or been granted something.
    pub fn names(&self, role: u32) -> bool {
        self.0.iter().any(|item| item.grantee == role || item.grantor == role)
    }

    /// As PostgreSQL writes its items.
    pub fn texts(&self, roles: &Roles) -> Vec<String> {
        let text = |item: &Item| {
            let grantee = if item.grantee == PUBLIC { String::new() } else { quoted(&roles.name(item.grantee)) };
            format!("{grantee}={}/{}", letters(item.mode), quoted(&roles.name(item.grantor)))
        };
        self.0.iter().map(text).collect()
    }

    /// What [`Self::texts`] wrote.
    pub fn read<'t>(roles: &Roles, texts: impl IntoIterator<Item = &'t str>) -> SqlResult<Acl> {
        texts.into_iter().map(|text| Item::read(roles, text)).collect::<SqlResult<_>>().map(Acl)
    }
}

impl Item {
    /// An item as PostgreSQL's `aclitemin` takes it. Errors: 22P02, 42704 for a role that there is not.
    pub fn read(roles: &Roles, text: &str) -> SqlResult<Item> {
        let bad = |detail: &str| {
            SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("invalid aclitem \"{text}\": {detail}"))
        };
        let (grantee, rest) = name(text.trim()).ok_or_else(|| bad("a quote is not closed"))?;
        let (grantee, rest) = match (grantee.as_str(), rest.starts_with('=')) {
            ("group" | "user", false) => name(rest.trim_start()).ok_or_else(|| bad("a name must follow"))?,
            _ => (grantee, rest),
        };
        let rest = rest
            .strip_prefix('=')
            .ok_or_else(|| SqlError::new(state::INVALID_TEXT_REPRESENTATION, "missing \"=\" sign"))?;
        let (rights, grantor) = rest.split_once('/').map_or((rest, None), |(r, g)| (r, Some(g)));
        let mut mode = 0;
        let mut last = 0;
        for letter in rights.trim_end().chars() {
            if letter == '*' {
                mode |= options(last);
                continue;
            }
            let bit = LETTERS.find(letter).ok_or_else(|| {
                let message = format!("invalid mode character: must be one of \"{LETTERS}\"");
                SqlError::new(state::INVALID_TEXT_REPRESENTATION, message)
            })?;
            last = 1 << bit;
            mode |= last;
        }
        let oid = |name: &str| {
            let known = roles.named(name).map(|role| role.oid).or_else(|| name.parse().ok());
            known.ok_or_else(|| SqlError::new(state::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
        };
        let grantee = if grantee.is_empty() { PUBLIC } else { oid(&grantee)? };
        let grantor = match grantor {
            Some(grantor) => oid(&name(grantor).ok_or_else(|| bad("a quote is not closed"))?.0)?,
            None => super::BOOTSTRAP,
        };
        Ok(Item { grantee, grantor, mode })
    }
}

/// Their letters, each with a star if it may be granted.
fn letters(mode: Mode) -> String {
    let mut out = String::new();
    for (bit, letter) in LETTERS.chars().enumerate() {
        if mode & (1 << bit) != 0 {
            out.push(letter);
            if mode & options(1 << bit) != 0 {
                out.push('*');
            }
        }
    }
    out
}

fn quoted(name: &str) -> String {
    match name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A name at the beginning of a text, and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DELETE, INSERT, Kind, Membership, Role, SELECT, held};
    use super::*;

    fn roles() -> Roles {
        let mut roles = Roles::default();
        for (oid, name) in [(1, "ann"), (2, "bob"), (3, "my \"carl\""), (4, "dora")] {
            roles.put(Role::new(oid, name));
        }
        roles.put(Role { superuser: true, ..Role::new(10, "root") });
        roles.put_membership(Membership { role: 2, member: 4, grantor: 10, admin: false });
        roles
    }

    #[test]
    fn items_are_read_as_they_are_written() {
        let roles = roles();
        for text in ["ann=arwdDxt/ann", "=r/ann", "bob=r*w/\"my \"\"carl\"\"\"", "\"my \"\"carl\"\"\"=U*/root"] {
            assert_eq!(Acl::read(&roles, [text]).unwrap().texts(&roles), [text]);
        }
        for (text, code) in [("ann", "22P02"), ("ann=q/ann", "22P02"), ("nobody=r/ann", "42704")] {
            assert_eq!(Item::read(&roles, text).unwrap_err().code.as_str(), code, "{text}");
        }
    }

    #[test]
    fn rights_by_grant_by_role_and_for_all() {
        let roles = roles();
        let acl = Acl::read(&roles, ["ann=arwdDxt/ann", "bob=a*r/ann", "=d/ann"]).unwrap();
        let has = |role, asked| held(&roles, role, Kind::Relation, 1, Some(&acl), asked);
        assert_eq!(
            has(4, SELECT | INSERT | DELETE | options(SELECT | INSERT)),
            SELECT | INSERT | DELETE | options(INSERT)
        );
        assert_eq!(has(3, SELECT | DELETE), DELETE);
        assert_eq!(has(1, options(SELECT)), options(SELECT));
        assert_eq!(has(10, SELECT), SELECT);
        assert_eq!(held(&roles, 2, Kind::Type, 1, None, super::super::USAGE), super::super::USAGE);
        assert_eq!(acl.best_grantor(&roles, 4, 1, INSERT | SELECT), (2, INSERT));
    }

    #[test]
    fn what_was_granted_further_goes_only_with_cascade() {
        let roles = roles();
        let owner = Acl::read(&roles, ["ann=arwdDxt/ann"]).unwrap();
        let item = |grantee, grantor, mode| Item { grantee, grantor, mode };
        let all = SELECT | options(SELECT);
        let acl = owner.grant(&roles, item(2, 1, all), 1).unwrap().grant(&roles, item(3, 2, all), 1).unwrap();
        let back = acl.grant(&roles, item(2, 3, all), 1).unwrap_err();
        assert_eq!(back.code.as_str(), "0LP01");
        let refused = acl.revoke(&roles, item(2, 1, options(SELECT)), 1, Behavior::Restrict).unwrap_err();
        assert_eq!(refused.code.as_str(), "2BP01");
        let left = acl.revoke(&roles, item(2, 1, options(SELECT)), 1, Behavior::Cascade).unwrap();
        assert_eq!(left.texts(&roles), ["ann=arwdDxt/ann", "bob=r/ann"]);
        assert_eq!(left.with_owner(1, 2).texts(&roles), ["bob=arwdDxt/bob"]);
    }
}
