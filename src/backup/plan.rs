//! Which backup is meant, what is to be restored under which names, and what may be pruned.

use super::manifest::{Database, Manifest};
use super::piece::Sum;
use super::segment::Until;
use std::collections::{BTreeMap, BTreeSet};

/// What a directory says of a backup: its manifest, or why there is none to be had.
pub type Listed = (String, Result<Manifest, String>);

/// What a backup of this moment is called; names are in the order of their times. µs since 2000-01-01 00:00 UTC.
pub fn id(now: i64, drawn: u16) -> String {
    const EPOCH: i64 = 946_684_800;
    let time = jiff::Timestamp::from_second(now.div_euclid(1_000_000) + EPOCH).unwrap_or_default();
    format!("{}-{drawn:04x}", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// The backup of this name, or the newest. One that is damaged is not passed over.
pub fn choose(all: Vec<Listed>, wanted: Option<&str>) -> Result<Manifest, String> {
    let found = match wanted {
        Some(wanted) => all.into_iter().find(|(id, _)| id == wanted).ok_or(format!("there is no backup {wanted}")),
        None => all.into_iter().next_back().ok_or("there is no backup".to_owned()),
    };
    let (id, manifest) = found.map_err(|why| format!("{why}\n  `quorate backup list` shows them"))?;
    manifest.map_err(|why| format!("backup {id} cannot be used: {why}\n  another one can be named with --backup"))
}

/// The newest backup from which the databases of these names, or all, can be brought to a moment; or the one of this name.
pub fn base(all: Vec<Listed>, wanted: Option<&str>, only: &[String], until: Until) -> Result<Manifest, String> {
    let before = |database: &Database| match until {
        Until::Index(index) => database.index <= index,
        Until::Time(time) => database.time <= time,
        Until::End => true,
    };
    let concerned = |database: &&Database| only.is_empty() || only.contains(&database.name);
    let fits = |manifest: &Manifest| {
        let mut databases = manifest.databases.iter().filter(concerned).peekable();
        databases.peek().is_some() && databases.all(before)
    };
    if wanted.is_some() {
        let manifest = choose(all, wanted)?;
        let id = &manifest.id;
        return match fits(&manifest) {
            true => Ok(manifest),
            false => Err(format!("backup {id} is of a later moment, or does not have the database")),
        };
    }
    let found = all.into_iter().rev().find_map(|(_, manifest)| manifest.ok().filter(fits));
    found.ok_or_else(|| "there is no backup from before that moment".to_owned())
}

/// The first entry of each group's log that is needed by what is left: that of its oldest backup.
pub fn oldest<'m>(left: impl Iterator<Item = &'m Manifest>) -> BTreeMap<(String, u64), u64> {
    let mut oldest = BTreeMap::new();
    for manifest in left {
        for database in &manifest.databases {
            let first = oldest.entry((manifest.cluster_id.clone(), database.group)).or_insert(database.index);
            *first = database.index.min(*first);
        }
    }
    oldest
}

/// Whether the log of a group is of no use any more: no backup that is left has its database, and one that is left has all that
/// there were after it.
pub fn is_forgotten<'m>(left: impl Iterator<Item = &'m Manifest>, cluster_id: &str, group: u64) -> bool {
    let (mut has, mut later) = (false, false);
    for manifest in left.filter(|manifest| manifest.cluster_id == cluster_id) {
        has |= manifest.databases.iter().any(|database| database.group == group);
        // Numbers of groups only grow.
        later |= manifest.whole && manifest.databases.iter().any(|database| database.group > group);
    }
    later && !has
}

/// A database that is to be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub database: Database,
    /// What it will be called.
    pub name: String,
    /// The cluster is to have the roles that are in it.
    pub roles: bool,
    /// The cluster's home has this name: it makes way, if it is empty.
    pub displaces: bool,
}

/// What is to be done, in this order, so that the databases of these names are restored, or all. `existing`: names that are
/// taken; `home`: the one of them that has the cluster's roles.
pub fn steps(
    manifest: Manifest,
    only: &[String],
    renamed: Option<&str>,
    existing: &[String],
    home: &str,
) -> Result<Vec<Step>, String> {
    let id = manifest.id;
    let whole = only.is_empty() && renamed.is_none();
    let mut databases = manifest.databases;
    if let Some(missing) = only.iter().find(|name| !databases.iter().any(|d| d.name == **name)) {
        return Err(format!("backup {id} has no database \"{missing}\""));
    }
    databases.retain(|database| only.is_empty() || only.contains(&database.name));
    if renamed.is_some() && databases.len() != 1 {
        let names: Vec<&str> = databases.iter().map(|d| d.name.as_str()).collect();
        return Err(format!("which one is to get another name?\n  say one with --database: {}", names.join(", ")));
    }
    // Whoever owns something is to be there first; then as they came into being.
    databases.sort_by_key(|database| (!database.home, database.oid));
    let step = |database: Database| {
        let name = renamed.map_or_else(|| database.name.clone(), str::to_owned);
        Step { roles: whole && database.home, displaces: whole && name == home, name, database }
    };
    let steps: Vec<Step> = databases.into_iter().map(step).collect();
    // Whether the home is empty its node knows.
    let taken = |step: &&Step| existing.contains(&step.name) && !step.displaces;
    match steps.iter().find(taken) {
        None => Ok(steps),
        Some(Step { name, .. }) => Err(format!(
            "database \"{name}\" is there already, and nothing was restored\n  restore it beside that one with --database \
             {name} --as ANOTHER-NAME, or drop that one first"
        )),
    }
}

/// What goes when only the newest `keep` backups stay: their names, and the pieces that the others still need.
pub fn prune(all: &[Listed], keep: usize) -> Result<(Vec<String>, BTreeSet<Sum>), String> {
    let (old, new) = all.split_at(all.len().saturating_sub(keep));
    let mut needed = BTreeSet::new();
    for (id, manifest) in new {
        let why = |why| format!("backup {id} cannot be read, so nobody knows what it needs: {why}");
        let manifest = manifest.as_ref().map_err(why)?;
        needed.extend(manifest.databases.iter().flat_map(|database| &database.pieces));
    }
    Ok((old.iter().map(|(id, _)| id.clone()).collect(), needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str, oid: u32, home: bool) -> Database {
        Database { name: name.into(), oid, home, pieces: vec![Sum::of(name.as_bytes())], ..Database::default() }
    }

    fn backup(id: &str) -> Manifest {
        let databases =
            vec![database("b", 20_001, false), database("quorate", 16_384, true), database("a", 20_000, false)];
        Manifest { id: id.into(), databases, whole: true, ..Manifest::default() }
    }

    #[test]
    fn names_are_in_order() {
        assert_eq!(id(0, 0xab), "20000101T000000Z-00ab");
        assert_eq!(id(820_454_400_000_000, 1), "20251231T000000Z-0001");
        assert!(id(-1, 0).starts_with("19991231T235959Z"));
    }

    #[test]
    fn the_newest_is_meant_unless_another_is_named() {
        let all = || vec![("1".to_owned(), Ok(backup("1"))), ("2".to_owned(), Err("half of it is missing".to_owned()))];
        assert_eq!(choose(all(), Some("1")).unwrap().id, "1");
        assert!(choose(all(), None).unwrap_err().contains("backup 2 cannot be used: half of it is missing"));
        assert!(choose(all(), Some("3")).unwrap_err().contains("no backup 3"));
        assert!(choose(Vec::new(), None).is_err());
    }

    #[test]
    fn roles_come_first_and_nothing_is_written_over() {
        let existing = ["quorate".to_owned(), "a".to_owned()];
        let plan = |only: &[&str], renamed, existing: &[String]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            let steps = steps(backup("1"), &only, renamed, existing, "quorate")?;
            Ok::<_, String>(steps.into_iter().map(|s| (s.database.name, s.name, s.roles)).collect::<Vec<_>>())
        };
        let same = |name: &str, roles| (name.to_owned(), name.to_owned(), roles);
        let all = plan(&[], None, &existing[..1]).unwrap();
        assert_eq!(all, [same("quorate", true), same("a", false), same("b", false)]);
        assert!(plan(&[], None, &existing).unwrap_err().contains("\"a\" is there already"));
        assert_eq!(plan(&["b"], None, &existing).unwrap(), [same("b", false)]);
        assert_eq!(plan(&["a"], Some("c"), &existing).unwrap(), [("a".to_owned(), "c".to_owned(), false)]);
        assert!(plan(&["a"], Some("quorate"), &existing).is_err());
        assert!(plan(&["quorate"], None, &existing).is_err(), "not without its roles");
        // One that has stood aside where the backup was made is no home here.
        let moved = Manifest {
            databases: vec![database("roles", 16_384, true), database("quorate", 20_000, false)],
            ..backup("1")
        };
        let steps = steps(moved, &[], None, &existing, "quorate").unwrap();
        let told: Vec<_> = steps.iter().map(|s| (&*s.name, s.roles, s.displaces)).collect();
        assert_eq!(told, [("roles", true, false), ("quorate", false, true)]);
        assert!(plan(&[], Some("c"), &existing).unwrap_err().contains("quorate, "));
        assert!(plan(&["x"], None, &existing).unwrap_err().contains("no database \"x\""));
    }

    #[test]
    fn a_moment_is_reached_from_before_it() {
        let at = |id: &str, index, time| {
            let databases = vec![Database { index, time, group: 3, ..database("a", 1, false) }];
            (id.to_owned(), Ok(Manifest { databases, cluster_id: "c".into(), ..backup(id) }))
        };
        let all =
            || vec![at("1", 10, 100), at("2", 20, 200), ("3".to_owned(), Err("broken".to_owned())), at("4", 40, 400)];
        let base = |wanted, until| base(all(), wanted, &["a".to_owned()], until).map(|manifest| manifest.id);
        assert_eq!(base(None, Until::Time(399)), Ok("2".to_owned()));
        assert_eq!(base(None, Until::Time(400)), Ok("4".to_owned()));
        assert_eq!(base(None, Until::Index(19)), Ok("1".to_owned()));
        assert_eq!(base(None, Until::End), Ok("4".to_owned()));
        assert!(base(None, Until::Time(99)).is_err());
        assert_eq!(base(Some("1"), Until::Time(399)), Ok("1".to_owned()));
        assert!(base(Some("4"), Until::Time(399)).unwrap_err().contains("later moment"));
        assert!(super::base(all(), None, &["b".to_owned()], Until::End).is_err());
        let left: Vec<Manifest> = all().into_iter().skip(1).filter_map(|(_, manifest)| manifest.ok()).collect();
        assert_eq!(oldest(left.iter()), BTreeMap::from([(("c".to_owned(), 3), 20)]));
        let forgotten = |cluster, group| is_forgotten(left.iter(), cluster, group);
        assert_eq!(
            [forgotten("c", 2), forgotten("c", 3), forgotten("c", 4), forgotten("d", 2)],
            [true, false, false, false]
        );
    }

    #[test]
    fn what_is_needed_stays() {
        let all: Vec<Listed> = vec![
            ("1".into(), Err("broken".into())),
            ("2".into(), Ok(backup("2"))),
            ("3".into(), Ok(Manifest { databases: vec![database("c", 1, false)], ..backup("3") })),
        ];
        let (gone, needed) = prune(&all, 1).unwrap();
        assert_eq!((gone, needed), (vec!["1".to_owned(), "2".to_owned()], BTreeSet::from([Sum::of(b"c")])));
        assert_eq!(prune(&all, 2).unwrap().1.len(), 4);
        assert!(prune(&all, 3).unwrap_err().contains("backup 1"));
    }
}
