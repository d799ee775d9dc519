//! The schema of the state machines' files, as numbered steps. A step is never changed once released: a later one
//! follows it. `engine` runs the steps a file has not seen yet, in order.

/// Steps for the file of a user database.
pub fn database_migrations() -> &'static [(u32, &'static str)] {
    &[
        (1, include_str!("../../migrations/database/0001_catalog.sql")),
        (2, include_str!("../../migrations/database/0002_types.sql")),
        (3, include_str!("../../migrations/database/0003_roles.sql")),
    ]
}

/// Steps for the file of the system group.
pub fn system_migrations() -> &'static [(u32, &'static str)] {
    &[(1, include_str!("../../migrations/system/0001_cluster.sql"))]
}

#[cfg(test)]
mod tests {
    #[test]
    fn steps_are_numbered_and_valid() {
        for steps in [super::database_migrations(), super::system_migrations()] {
            let connection = rusqlite::Connection::open_in_memory().unwrap();
            for (i, (number, sql)) in steps.iter().enumerate() {
                assert_eq!(*number as usize, i + 1);
                connection.execute_batch(sql).unwrap();
            }
        }
    }
}
