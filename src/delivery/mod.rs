//! One message on its way to one target: its parts in order, each uploaded where that is needed, sent, and kept account of.

mod account;
mod attempts;
mod courier;
mod explain;
mod inspection;
mod interrupted;
mod late;
mod outcome;
mod policy;
pub mod split;
mod summary;

pub use account::{Account, Accounts};
pub use courier::{Courier, Credential, Provenance};
pub use inspection::explain_way;
pub use interrupted::interrupted;
pub use late::Mark;
pub use outcome::{Check, CheckStatus, ListedEntry, Outcome, PlannedRequest, Product, Receipt, Shortfall, Unreached};
pub use policy::Policy;
