//! COPY … FROM STDIN: lines become parameter sets of one step, which is written when the transaction ends.
//!
//! After an error the client may still be sending: what it sends is read and dropped, up to its CopyDone or CopyFail
//! in a simple query, up to Sync in the extended protocol.

use super::effect::{Message, Request};
use super::language::CopyReader;
use super::portal::Run;
use super::transaction::size;
use super::{Session, Step, Wait, copy_form};
use crate::error::{SqlError, SqlResult, state};
use crate::value::Value;
use bytes::Bytes;

pub(super) struct CopyIn {
    run: Run,
    reader: Box<dyn CopyReader>,
    rows: Rows,
}

struct Rows {
    rows: Vec<Vec<Value>>,
    bytes: usize,
    limit: usize,
}

impl Rows {
    fn push(&mut self, row: Vec<Value>) -> SqlResult<()> {
        self.bytes += row.iter().map(size).sum::<usize>() + size_of::<Vec<Value>>();
        if self.bytes > self.limit {
            let message = format!("COPY is larger than {} bytes", self.limit);
            let error = SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message);
            return Err(error.hint("Copy the rows in several parts."));
        }
        self.rows.push(row);
        Ok(())
    }
}

impl Session {
    pub(super) fn start_copy(&mut self, run: Run) -> Step {
        // The client waits for CopyInResponse, which cannot wait for earlier writes.
        if !self.batch.is_empty() {
            return Err(SqlError::unsupported("COPY FROM after writing in the same transaction").into());
        }
        let form = copy_form(&run);
        let reader = self.language.copy_reader(&form)?;
        let rows = Rows { rows: Vec::new(), bytes: 0, limit: self.limits.copy };
        self.send(Message::CopyIn(form));
        self.wait = Wait::CopyIn(Box::new(CopyIn { run, reader, rows }));
        Ok(())
    }

    /// A message while COPY input is expected.
    pub(super) fn receive_copy(&mut self, request: Request) {
        let Wait::CopyIn(mut copy) = std::mem::replace(&mut self.wait, Wait::Nothing) else { return };
        let result = match request {
            Request::CopyData(data) => match copy.feed(&data) {
                Ok(()) => {
                    self.wait = Wait::CopyIn(copy);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Request::CopyDone => self.finish_copy(*copy),
            Request::CopyFail(reason) => {
                let message = format!("COPY from stdin failed: {reason}");
                Err(SqlError::new(state::QUERY_CANCELED, message))
            }
            // Allowed, and without meaning here.
            Request::Flush | Request::Sync => {
                self.wait = Wait::CopyIn(copy);
                Ok(())
            }
            Request::Terminate => return self.close(),
            other => {
                // It is used up, as in PostgreSQL.
                let message = format!("unexpected message during COPY from stdin: {}", kind(&other));
                Err(SqlError::new(state::PROTOCOL_VIOLATION, message))
            }
        };
        if let Err(error) = result {
            self.fail(error);
        }
    }

    fn finish_copy(&mut self, mut copy: CopyIn) -> SqlResult<()> {
        copy.reader.finish(&mut |row| copy.rows.push(row))?;
        let rows = copy.rows.rows;
        self.collect(copy.run, rows).map_err(|stop| match stop {
            super::Stop::Compile(error) | super::Stop::Final(error) => error,
        })
    }
}

impl CopyIn {
    fn feed(&mut self, data: &Bytes) -> SqlResult<()> {
        let rows = &mut self.rows;
        self.reader.feed(data, &mut |row| rows.push(row))
    }
}

fn kind(request: &Request) -> &'static str {
    match request {
        Request::Query(_) => "Query",
        Request::Parse { .. } => "Parse",
        Request::Bind(_) => "Bind",
        Request::Describe { .. } => "Describe",
        Request::Execute { .. } => "Execute",
        Request::Close { .. } => "Close",
        _ => "another message",
    }
}
