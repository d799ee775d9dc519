//! The schema of the state machines' files, as numbered steps. A step is never changed once released: a later one
//! follows it. `engine` runs the first ones when it makes a file, and the others when the group's version rises.

use crate::version::Migration;

/// Steps for the file of a user database.
pub fn database_migrations() -> &'static [Migration] {
    const STEPS: &[Migration] = &[
        Migration::first(1, include_str!("../../migrations/database/0001_catalog.sql")),
        Migration::first(2, include_str!("../../migrations/database/0002_types.sql")),
        Migration::first(3, include_str!("../../migrations/database/0003_roles.sql")),
        Migration::first(4, include_str!("../../migrations/database/0004_depend.sql")),
        Migration::first(5, include_str!("../../migrations/database/0005_views.sql")),
    ];
    STEPS
}

/// Steps for the file of the system group.
pub fn system_migrations() -> &'static [Migration] {
    const STEPS: &[Migration] = &[Migration::first(1, include_str!("../../migrations/system/0001_cluster.sql"))];
    STEPS
}

#[cfg(test)]
mod tests {
    #[test]
    fn steps_are_numbered_and_valid() {
        for steps in [super::database_migrations(), super::system_migrations()] {
            let connection = rusqlite::Connection::open_in_memory().unwrap();
            for (i, step) in steps.iter().enumerate() {
                assert_eq!(step.number as usize, i + 1);
                connection.execute_batch(step.script).unwrap();
            }
            assert!(steps.is_sorted_by_key(|step| step.since));
        }
    }
}
