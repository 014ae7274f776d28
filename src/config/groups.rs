//! Settings that count together: those of one value in its forms, recipients that replace each other, and secrets.

use super::setting::Setting;

/// To whom an app sends: a level that has any of them replaces all of the lower ones.
pub(super) const RECIPIENTS: &[Setting] =
    &[Setting::ToUser, Setting::ToParty, Setting::ToTag, Setting::ToMobile, Setting::ToEmail, Setting::ToUserCommand];

/// To whom an aibot sends: likewise.
pub(super) const CONVERSATIONS: &[Setting] = &[Setting::AibotUser, Setting::AibotChat];

/// Settings whose value is a secret as it stands there.
pub(super) const OWN_SECRETS: [Setting; 7] = [
    Setting::Secret,
    Setting::AibotSecret,
    Setting::CallbackToken,
    Setting::CallbackAesKey,
    Setting::AibotCallbackToken,
    Setting::AibotCallbackAesKey,
    Setting::AcceptToken,
];

/// Settings that give the same value in different ways (itself, a file, a command): a level may have only one of them.
pub(super) const FORMS: [&[Setting]; 10] = [
    SECRET_FORMS,
    WEBHOOK_FORMS,
    AIBOT_SECRET_FORMS,
    CALLBACK_FORMS[0],
    CALLBACK_FORMS[1],
    AIBOT_CALLBACK_FORMS[0],
    AIBOT_CALLBACK_FORMS[1],
    ACCEPT_TOKEN_FORMS,
    PROXY_FORMS,
    SHARED_STATE_FORMS,
];
/// The forms of an app's secret.
pub(super) const SECRET_FORMS: &[Setting] = &[Setting::Secret, Setting::SecretFile, Setting::SecretCommand];
/// The forms of a webhook's key.
pub(super) const WEBHOOK_FORMS: &[Setting] = &[Setting::Webhook, Setting::WebhookFile, Setting::WebhookCommand];
/// The forms of an aibot's secret.
pub(super) const AIBOT_SECRET_FORMS: &[Setting] =
    &[Setting::AibotSecret, Setting::AibotSecretFile, Setting::AibotSecretCommand];

/// The forms of token and key of the app's callback.
pub(super) const CALLBACK_FORMS: [&[Setting]; 2] = [
    &[Setting::CallbackToken, Setting::CallbackTokenFile, Setting::CallbackTokenCommand],
    &[Setting::CallbackAesKey, Setting::CallbackAesKeyFile, Setting::CallbackAesKeyCommand],
];

/// The same of an aibot's.
pub(super) const AIBOT_CALLBACK_FORMS: [&[Setting]; 2] = [
    &[Setting::AibotCallbackToken, Setting::AibotCallbackTokenFile, Setting::AibotCallbackTokenCommand],
    &[Setting::AibotCallbackAesKey, Setting::AibotCallbackAesKeyFile, Setting::AibotCallbackAesKeyCommand],
];

/// The forms of what senders of alerts show.
pub(super) const ACCEPT_TOKEN_FORMS: &[Setting] = &[Setting::AcceptToken, Setting::AcceptTokenFile];

/// The forms of a proxy's URL.
pub(super) const PROXY_FORMS: &[Setting] = &[Setting::Proxy, Setting::ProxyFile];

/// The forms of the shared state's address.
pub(super) const SHARED_STATE_FORMS: &[Setting] = &[Setting::SharedState, Setting::SharedStateFile];
