//! `get-token`: a valid access token, from the cache or from WeCom.

use wecom_alert::delivery::{Outcome, Product};
use wecom_alert::error::{Result, Status};
use wecom_alert::message::Route;

use super::args::GetTokenArgs;
use super::dry_run;
use super::session::Session;

/// Gets a token.
pub(crate) async fn get_token(session: &mut Session<'_>, args: GetTokenArgs) -> Result<Outcome> {
    session.route = Some(Route::App);
    if session.settings.dry_run {
        return dry_run::of_token(session).await;
    }
    let login = session.app_login(None).await?;
    let client = session.app_client();
    let token = session.app_delivery(&client, login).token(args.refresh).await?;
    let product =
        Product::Token { access_token: token.access_token, expires_in: token.expires_in, from_cache: token.from_cache };
    Ok(Outcome { answer: token.answer, ..Outcome::with_product(Status::Ok, product) })
}
