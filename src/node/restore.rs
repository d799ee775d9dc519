//! `quorate restore`, on the node that gets the content: a file becomes a new database.
//!
//! The file is compared with what the replicas had voted on when it was backed up, its roles are made those of this cluster, and
//! the register gets a database whose first content is on this node; its other replicas get it as any new replica does.

use super::copies::Job;
use super::{Runtime, databases};
use crate::admin::Problem;
use crate::admin::backup::Arrival;
use crate::backup::{manifest::Database, proof};
use crate::cluster::databases::Attributes;
use crate::engine;
use crate::id::FIRST_DATABASE_GROUP;
use crate::sql::ddl::roles::feed;
use std::path::PathBuf;
use std::sync::Arc;

/// What an empty home is called when a restored database has its name.
const ASIDE: &str = "quorate_home";

/// Refuses what cannot come to anything, before its content comes.
pub async fn check(runtime: &Arc<Runtime>, arrival: &Arrival) -> Result<(), Problem> {
    let Database { version, .. } = arrival.database;
    if version > runtime.config.speaks.0 {
        return Err(Problem::Refused(format!(
            "the database has version {version}, and {} knows up to {}: run the newer program",
            runtime.config.name, runtime.config.speaks
        )));
    }
    if stands_in_the_way(runtime, arrival) {
        return Ok(());
    }
    databases::check_free(runtime, &arrival.name).await.map_err(|error| Problem::Refused(error.message))
}

fn stands_in_the_way(runtime: &Runtime, arrival: &Arrival) -> bool {
    arrival.displaces && arrival.name == runtime.name_of(FIRST_DATABASE_GROUP)
}

/// Makes the database, and notes how far it is.
pub async fn make(runtime: Arc<Runtime>, arrival: Arrival, job: Arc<Job>) {
    let made = found(&runtime, &arrival, &job).await;
    job.end(|progress| match made {
        Ok(notes) => progress.restored = Some(notes),
        Err(why) => progress.failed = Some(why),
    });
}

async fn found(runtime: &Arc<Runtime>, arrival: &Arrival, job: &Job) -> Result<Vec<String>, String> {
    let told = |error: crate::error::SqlError| match error.fields.detail {
        Some(detail) => format!("{}: {detail}", error.message),
        None => error.message,
    };
    let dialect = super::database_dialect();
    job.doing("comparing with what the replicas had", 0);
    let (file, database, checked) = (job.file.clone(), arrival.database.clone(), dialect.clone());
    let catalog = blocking(file, move |file| {
        proof::compare(&database, file, &checked)?;
        engine::catalog_of(file, &checked)
    });
    let catalog = catalog.await?;
    let mut notes = Vec::new();
    if arrival.roles {
        job.doing("restoring roles", 0);
        match databases::take_roles(runtime, &catalog).await.map_err(told)? {
            true => notes.push("the cluster has the roles of the backup".to_owned()),
            false => notes.push("the cluster has roles of its own: those of the backup were not restored".to_owned()),
        }
        if feed::is_untouched(&catalog) {
            return Ok(notes);
        }
    }
    runtime.home().read_point(&super::patience(databases::HEED)).await.map_err(told)?;
    let home = runtime.home().shared.catalog();
    let same_cluster = arrival.cluster_id == format!("{:032x}", runtime.identity.cluster);
    let statements = feed::arrive(&catalog.rights, &home.rights, same_cluster);
    if !same_cluster {
        let strangers = feed::strangers(&catalog.rights, &home.rights);
        if !strangers.is_empty() {
            let names = strangers.join(", ");
            notes.push(format!("the cluster does not have the roles {names}: what was theirs is the superuser's now"));
        }
    }
    blocking(job.file.clone(), move |file| engine::amend(file, &dialect, &statements)).await?;
    job.doing("making the database", 0);
    let Arrival { name, database, .. } = arrival;
    if stands_in_the_way(runtime, arrival) {
        let aside = databases::stand_aside(runtime, ASIDE).await.map_err(told)?;
        notes.push(format!("the database that was \"{name}\" is \"{aside}\" now: it was empty, and keeps the roles"));
    }
    let attributes = Attributes {
        connections: Some(database.connections),
        is_template: Some(database.is_template),
        connection_limit: Some(database.connection_limit),
    };
    let _arriving = runtime.copies.arrive(name, &job.file)?;
    let oid = databases::make_of_file(runtime, name, attributes).await.map_err(told)?;
    databases::take_settings(runtime, &catalog, database.oid, oid).await.map_err(told)?;
    Ok(notes)
}

async fn blocking<T: Send + 'static>(
    file: PathBuf,
    work: impl FnOnce(&std::path::Path) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(move || work(&file)).await.unwrap_or_else(|error| Err(error.to_string()))
}
