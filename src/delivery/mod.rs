//! One message on its way to one target: its parts in order, each uploaded where that is needed, sent, and kept account of.

mod account;
mod courier;
mod explain;
mod failed;
mod inspection;
mod interrupted;
mod late;
mod outcome;
mod policy;
mod sending;
pub(crate) mod split;
mod summary;

pub(crate) use account::Account;
pub use account::Accounts;
pub(crate) use courier::{Courier, Credential};
pub(crate) use failed::Provenance;
pub(crate) use inspection::explain_way;
pub use interrupted::interrupted;
pub(crate) use late::Mark;
pub use outcome::{Check, CheckStatus, ListedEntry, Outcome, PlannedRequest, Product, Receipt, Shortfall, Unreached};
pub(crate) use policy::Policy;
