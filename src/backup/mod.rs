//! Backups: copies of databases that say of themselves whether they are whole.
//!
//! ```text
//! DIR/quorate-backups            what the directory is, and whether its content is sealed with a key
//! DIR/pieces/ab/ab12…            content, in pieces named by their content: what did not change is there once
//! DIR/backups/ID.begun           a backup that is being made, or was not completed
//! DIR/backups/ID.manifest        a backup: written last, when all of its pieces are there
//! DIR/log/CLUSTER/GROUP/…        the log of a database since, where it is kept
//! ```
//!
//! A database in a backup is its file as it was after one entry of its log, and the digest that a majority of its replicas
//! has voted on for that entry. Whoever puts the file together again can compute the digest from what is in it, and so knows
//! whether what he has is what the cluster had; no peer is needed for that.
//!
//! | file | content | does IO |
//! |---|---|---|
//! | `envelope` | the form of small objects, in which damage is seen | no |
//! | `manifest` | what a backup consists of | no |
//! | `piece` | names, sums and seals of pieces | no |
//! | `plan` | which backup, which databases, under which names; what may be pruned | no |
//! | `segment` | parts of a log | no |
//! | `store` | a directory that keeps objects | yes |
//! | `keeper` | a directory of backups: makes, lists, reads and prunes them | yes |
//! | `proof` | puts a database together in a file, and compares it with what was voted on | yes |
//! | `replay` | brings it to a later moment by the log | yes |

mod envelope;
pub mod keeper;
pub mod manifest;
pub mod piece;
pub mod plan;
pub mod proof;
pub mod replay;
pub mod segment;
pub mod store;
