//! Looks at the store for `check`: what it is, how long it takes to answer, and whether it throws keys away.

use std::time::{Duration, Instant};

use redis::cmd;

use super::SharedState;
use super::connection::{ServerInfo, connect};
use super::failure::StoreFailure;
use super::outage::{OutageFile, PAUSE};
use super::patience::{Patience, within};
use crate::clock;
use crate::config::SharedStateUrl;
use crate::error::{Error, Status};

/// What `check` tells of the store.
#[derive(Debug)]
pub(crate) struct StoreLook {
    /// Its address, without the log-in.
    pub(crate) address: String,
    /// What it is.
    pub(crate) server: ServerInfo,
    /// How long an answer takes.
    pub(crate) round_trip: Duration,
    /// The policy by which it throws keys away when its memory is full, if it does.
    pub(crate) evicts: Option<String>,
}

impl SharedState {
    /// Looks at the store whatever was known of it: what it is, and how long it takes to answer. Where it answers, others may
    /// ask it again.
    ///
    /// # Errors
    ///
    /// Exit 3 where a setting is to be corrected, here or there, and 7 for what may be over in a while.
    pub(crate) async fn look(&self) -> Result<StoreLook, Error> {
        const HINT: &str = "alerts are sent all the same, by this machine's own state; see wecom-alert help fleet";
        let of = |failure: StoreFailure, at: &str| {
            let status = if failure.passes { Status::Temporary } else { Status::Config };
            Error::new(status, format!("{at}{}", self.store.mask.apply(&failure.why))).with_hint(HINT)
        };
        let url = self.store.url().await.map_err(|failure| of(failure, ""))?;
        let limit = Patience::Background.limit();
        let silent = || StoreFailure::passing(format!("no answer within {}", clock::seconds(limit)));
        let looked = within(limit, self.look_at(url)).await.0.unwrap_or_else(|| Err(silent()));
        let look = looked.map_err(|failure| {
            // Nothing else asks it, or tells the same again.
            self.store.trouble().down_until = Some(Instant::now() + PAUSE);
            of(failure, &format!("{url}: "))
        })?;
        self.store.outage_file().iter().for_each(OutageFile::clear);
        Ok(look)
    }

    async fn look_at(&self, url: &SharedStateUrl) -> Result<StoreLook, StoreFailure> {
        let (mut connection, server) = connect(url, &self.store.trust, Instant::now() + PAUSE).await?;
        let began = Instant::now();
        let _: redis::Value = cmd("PING").query_async(&mut connection).await?;
        let round_trip = began.elapsed();
        // What a user may not see is not told.
        let memory: String = cmd("INFO").arg("memory").query_async(&mut connection).await.unwrap_or_default();
        let field = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.trim().to_owned())
        };
        let has_limit = field("maxmemory").is_some_and(|limit| limit != "0");
        let evicts = field("maxmemory_policy").filter(|policy| policy != "noeviction" && has_limit);
        Ok(StoreLook { address: url.to_string(), server, round_trip, evicts })
    }
}
