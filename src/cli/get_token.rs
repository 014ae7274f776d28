//! `get-token`: a valid access token, from the cache or from WeCom.

use wecom_alert::delivery::{Outcome, Product, fetch_token};
use wecom_alert::error::{Result, Status};
use wecom_alert::message::Route;

use super::args::GetTokenArgs;
use super::dry_run;
use super::session::Session;

/// Gets a token.
pub(crate) async fn get_token(session: &mut Session, args: GetTokenArgs) -> Result<Outcome> {
    session.route = Some(Route::App);
    if session.settings.dry_run {
        return dry_run::of_token(session).await;
    }
    let login = session.app_login(None).await?;
    let client = session.app_client();
    let provenance = login.provenance.clone();
    let token = fetch_token(&session.tokens(&client, login), &provenance, args.refresh).await?;
    let product =
        Product::Token { access_token: token.access_token, expires_in: token.expires_in, from_cache: token.from_cache };
    Ok(Outcome { answer: token.answer, ..Outcome::with_product(Status::Ok, product) })
}
