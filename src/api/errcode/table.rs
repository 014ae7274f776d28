//! The error codes that a sender can meet, as data: a row a line, sorted by code.
//!
//! Data only, no logic. Source of codes, meanings and causes: the list of global error codes, document path 90313, with
//! the limits of document paths 90236 (app messages), 90248 (group chats), 90253 (uploads), 90312 (frequencies),
//! 99110 (webhooks) and 101463 (aibots). A new row also needs its code in the list by class in `tests.rs`, which is kept apart from this
//! table to check it.

use super::{Class, ErrcodeRow};
use Class::{AuthFatal, AuthRefresh, Config, Ok, Other, Payload, RateLimited, Recipient, Transient};

const FOREIGN: &str = "this code belongs to third-party suites: check that corp_id and secret are those of a self-built app (应用管理 → the app), and that no proxy or base URL leads elsewhere";
const OAUTH: &str =
    "this code belongs to web login, which wecom-alert never uses: check the base URL and any proxy in between";
const OTHER_API: &str =
    "this code belongs to an API that wecom-alert never calls: check the base URL and any proxy in between";
const RANGE: &str = "correct the id, or add it to the visible range: 应用管理 → the app → 可见范围";
const USER_ID: &str = "correct the userid (通讯录 → the member → 账号), or add the member to the visible range: 应用管理 → the app → 可见范围";
const PARTY_ID: &str = "correct the department id (see 通讯录; the root is 1), or add the department to the visible range: 应用管理 → the app → 可见范围";
const TAG_ID: &str =
    "correct the tag id (see 通讯录 → 标签), or add the tag to the visible range: 应用管理 → the app → 可见范围";
const CORP_ID: &str =
    "copy corp_id from 我的企业 → 企业信息 → 企业ID, and check that corp_id and secret are not swapped";
const SECRET: &str = "copy the Secret again from 应用管理 → the app → Secret, and make sure that corp_id (我的企业 → 企业信息) belongs to the same corp";
const ENABLE: &str = "ask an admin to enable the app again: 应用管理 → the app";
const TRUST_IP: &str =
    "add this machine's public IP address under 应用管理 → the app → 企业可信IP, then wait about a minute";
const UPLOAD_AGAIN: &str = "upload the file again: a media_id is valid for 3 days, only for the webhook or the corp that uploaded it, and only as the kind of file it was uploaded as";
const FIELD: &str =
    "correct the field that WeCom names in errmsg: its JSON type, its length, or whether it may be empty";
const TASK_ID: &str = "use a task_id that this app has not used before: at most 128 of the characters 0-9, a-z, A-Z, _, - and @; if this was a retry after no answer, the card may have arrived";
const MENU_KEY: &str =
    "give every entry of action_menu.action_list and every button without a url its own key of at most 1024 bytes";
const MINI_PROGRAM: &str = "link the mini program to this app first (应用管理 → the app), then use its appid";
const WEBHOOK: &str = "copy the webhook URL again from the group → 消息推送 (formerly 群机器人); it may have been removed there. The key is what follows key= in that URL";
const IMAGE: &str =
    "save the image again as JPG or PNG, larger than 5 bytes and at most 10 MB for an app, 2 MB for a webhook";
const VOICE: &str = "convert the recording to AMR of at most 60 s and 2 MB (ffmpeg -i INPUT -ar 8000 -ac 1 -t 60 OUTPUT.amr), or send it with --file";
const CHAT_ID: &str = "correct the chatid: an app can write only to chats that it created itself";
const CHAT_USER: &str =
    "correct the chat's userids: each member must exist and be within 应用管理 → the app → 可见范围";
const COURSE: &str =
    "check the chatid: this code belongs to course groups of schools, which wecom-alert does not support";
const WORDING: &str =
    "change the wording: WeCom blocked this text as spam or for forbidden words, and will block it again";
const LINK: &str = "write the whole link, beginning with http:// or https://";

const AIBOT_MODE: &str = "set the bot to the long connection (管理后台 → 智能机器人 → the bot → API 模式 → 长连接), then copy BotID and Secret from there again";
const AIBOT_SECRET: &str = "copy BotID and Secret again from 管理后台 → 智能机器人 → the bot → API 模式 → 长连接; the Secret of an app does not fit";
const ANSWER_ONCE: &str = "nothing can be done for this press: its card stays as it was; if it happens often, check that only one program uses this bot, and that the network answers within 5 s";
const UPLOAD_ANEW: &str =
    "send again, which uploads the file again; if it lasts, please report it as a defect of wecom-alert";
const GATEWAY: &str =
    "check aibot_url: this code belongs to a gateway of WeCom for other programs, which an aibot does not need";

const fn row(code: i64, class: Class, meaning: &'static str, hint: &'static str) -> ErrcodeRow {
    ErrcodeRow { code, class, meaning, hint }
}

#[rustfmt::skip]
pub(super) static TABLE: &[ErrcodeRow] = &[
    row(-1, Transient, "the system is busy", "send again in a few seconds; if it lasts, WeCom may have an outage"),
    row(0, Ok, "WeCom accepted the request", "check the lists of invalid recipients in the answer"),
    row(6000, Transient, "the data was changed by somebody else at the same time", "send again in a few seconds"),
    row(40001, AuthFatal, "the secret is wrong, was reset, or is not of this corp_id", SECRET),
    row(40003, Recipient, "a userid is invalid, unknown, or of a member who left", USER_ID),
    row(40004, Payload, "the type of the media file is not allowed", "use a type that WeCom accepts (image: JPG or PNG, voice: AMR, video: MP4), or send the file with --file"),
    row(40005, Payload, "the type parameter of the upload is invalid", "use --type image, voice, video or file; a webhook accepts only voice and file"),
    row(40006, Payload, "the file's size is not allowed", "use a file larger than 5 bytes and at most 10 MB as image or video, 2 MB as voice, 20 MB as file"),
    row(40007, Payload, "the media_id is invalid, expired, or of another kind", UPLOAD_AGAIN),
    row(40008, Payload, "the msgtype is invalid", "correct the msgtype: apps and webhooks have different types (markdown_v2 is only for webhooks); with --payload, check that the body is valid JSON"),
    row(40009, Payload, "the image's size is not allowed", IMAGE),
    row(40011, Payload, "the video's size is not allowed", "make the video smaller than 10 MB, or send it with --file (20 MB)"),
    row(40013, AuthFatal, "the corp_id is invalid", CORP_ID),
    row(40014, AuthRefresh, "the access token is invalid: expired, mangled, or of another kind", "run wecom-alert get-token --refresh; if that does not help, check that the secret is that of a self-built app (应用管理 → the app → Secret)"),
    row(40016, Other, "the number of menu buttons is invalid", OTHER_API),
    row(40029, Other, "the OAuth code is invalid", OAUTH),
    row(40031, Recipient, "the list of userids is invalid", USER_ID),
    row(40032, Recipient, "the list of userids is too long", "send to at most 1000 members at a time, or to a department or tag"),
    row(40033, Payload, "the text holds characters that WeCom does not allow", "send the text as plain UTF-8, without \\uXXXX escapes and control characters"),
    row(40035, Payload, "a parameter is invalid, such as a string where a list belongs", FIELD),
    row(40039, Payload, "a URL is too long", "shorten the URL to at most 1024 bytes"),
    row(40050, Recipient, "the chatid does not exist", CHAT_ID),
    row(40056, Config, "the agent_id is invalid", "copy agent_id, a whole number, from 应用管理 → the app → AgentId"),
    row(40057, Config, "the callback URL is invalid or failed its check", "correct the URL under 应用管理 → the app → 接收消息 → 设置API接收, and make its server answer the check"),
    row(40058, Payload, "a parameter is malformed, too long, or empty", FIELD),
    row(40063, Payload, "a required parameter is empty or missing", FIELD),
    row(40066, Recipient, "the list of departments is invalid", PARTY_ID),
    row(40068, Recipient, "a tag id is invalid", TAG_ID),
    row(40070, Recipient, "all given recipients are invalid", RANGE),
    row(40071, Other, "the name of the tag exists already", OTHER_API),
    row(40074, Payload, "news cannot be confidential", "leave --safe out, or send mpnews, which can be confidential"),
    row(40082, Other, "the suite_access_token is invalid", FOREIGN),
    row(40083, Other, "the suite_id is invalid", FOREIGN),
    row(40091, AuthFatal, "the secret is invalid, perhaps of another corp", SECRET),
    row(40093, Other, "the JS-SDK signature is wrong", OAUTH),
    row(40094, Payload, "a URL is invalid", LINK),
    row(40096, Other, "the external_userid is invalid", "use the userid of a member: an external_userid is for the customer contact API"),
    row(40123, Payload, "the image is damaged or not of an allowed format", IMAGE),
    row(40127, Payload, "the scheme of a URL is not supported", LINK),
    row(40145, Payload, "the media_id has expired", UPLOAD_AGAIN),
    row(40201, Payload, "the content was blocked as spam", WORDING),
    row(40203, Payload, "a parameter is no longer supported", "remove the field that WeCom names in errmsg, or update wecom-alert"),
    row(40204, Payload, "the content was blocked as spam by WeChat", WORDING),
    row(40206, Payload, "the request is too large", "shorten the message, or send the long part with --file"),
    row(41001, AuthRefresh, "the access token is missing", "run wecom-alert get-token --refresh; if that does not help, look for a proxy that removes the query from the URL"),
    row(41002, Config, "the corp_id is missing", CORP_ID),
    row(41004, Config, "the secret is missing", SECRET),
    row(41006, Payload, "the media_id is missing", "add the media_id that upload-media printed, with --media-id or in the payload"),
    row(41010, Payload, "the url is missing", "add the URL with --url or in the payload: textcard and news need it"),
    row(41011, Config, "the agent_id is missing", "set agent_id (WECOM_ALERT_AGENT_ID) to the number under 应用管理 → the app → AgentId"),
    row(41016, Payload, "the title is missing", "add a title with --title, or in each article of the payload"),
    row(41024, Config, "the secret is missing", SECRET),
    row(41033, Payload, "the description is missing", "add a description: the text of a textcard"),
    row(42001, AuthRefresh, "the access token has expired", "run wecom-alert get-token --refresh; if that does not help, check this machine's clock and that no proxy caches answers"),
    row(42007, Other, "the pre_auth_code has expired", FOREIGN),
    row(42009, Other, "the suite_access_token has expired", FOREIGN),
    row(42014, Payload, "the task_id of the card is invalid", TASK_ID),
    row(42015, Config, "the card was sent by another app", "use the profile of the app that sent the card: no other app can update it"),
    row(42016, Payload, "no card has this task_id", "correct the task_id: it must be one that this app sent"),
    row(42017, Payload, "no button has this key", "use a key from the card's button_list"),
    row(42018, Payload, "the key of a button is invalid", MENU_KEY),
    row(42019, Payload, "the key of a button is missing", MENU_KEY),
    row(42020, Payload, "the name of a button is missing", "give the button a text; when a card is updated, --replace-name must say something"),
    row(42027, Payload, "a keyname is missing", "add keyname to every entry of horizontal_content_list"),
    row(42028, Payload, "a url is missing", "add url to card_action, horizontal_content_list and jump_list wherever their type is 1"),
    row(42029, Payload, "a media_id is missing", "add media_id to every entry of horizontal_content_list whose type is 2"),
    row(42030, Payload, "an appid is missing", "add appid to card_action and jump_list wherever their type is 2"),
    row(42031, Payload, "the card_type is invalid", "use card_type text_notice, news_notice, button_interaction, vote_interaction or multiple_interaction; a webhook accepts only the first two"),
    row(42033, Payload, "a title is missing", "add title to every entry of vertical_content_list and jump_list"),
    row(42035, Payload, "horizontal_content_list is too long", "use at most 6 entries in horizontal_content_list"),
    row(42036, Payload, "vertical_content_list is too long", "use at most 4 entries in vertical_content_list"),
    row(42037, Payload, "option_list is empty or too long", "use 1 to 10 entries in option_list, 1 to 20 in a checkbox"),
    row(42038, Payload, "the text of a button is missing or invalid", "give every entry of button_list a text, of about 10 characters at most"),
    row(42039, Payload, "the key of a button is missing or invalid", MENU_KEY),
    row(42040, Payload, "the id of an option is missing or invalid", "give every entry of option_list its own id of at most 128 bytes"),
    row(42041, Payload, "the text of an option is missing or invalid", "give every entry of option_list a text, of about 16 characters at most"),
    row(42042, Payload, "jump_list is too long", "use at most 3 entries in jump_list"),
    row(42043, Payload, "a question_key is missing or invalid", "give every question its own question_key of at most 1024 bytes"),
    row(42044, Payload, "the url of card_image is missing or invalid", "set card_image.url to the whole http:// or https:// link of a picture"),
    row(42045, Payload, "card_action is missing or invalid", "add card_action with type 1 and url, or type 2 and appid: a notice card needs it"),
    row(42046, Payload, "the key of submit_button is missing or invalid", "set submit_button.key to at most 1024 bytes"),
    row(42047, Payload, "select_list is empty or too long", "use 1 to 3 entries in select_list"),
    row(42049, Payload, "the text of submit_button is missing or invalid", "set submit_button.text, about 10 characters at most"),
    row(42050, Payload, "a userid is missing or invalid", "add a valid userid to every entry of horizontal_content_list whose type is 3"),
    row(42051, Payload, "two keys of action_menu are the same", MENU_KEY),
    row(42052, Other, "the msgid is too old", "nothing can be done: a message can be recalled only within 24 hours of sending"),
    row(43004, Other, "the member has not bound WeChat", OTHER_API),
    row(43012, Config, "the app has no callback URL", "set a callback URL under 应用管理 → the app → 接收消息 → 设置API接收, or send a text_notice or news_notice card without action_menu: interactive cards need a callback"),
    row(44001, Payload, "no file arrived in the upload", "check that the file is not empty and that no proxy rewrites uploads: WeCom needs one part named media with a plain filename, not filename*"),
    row(44004, Payload, "the text is empty", "send a text that is not empty, as UTF-8; with --payload, check that content is inside the object named after the msgtype"),
    row(45001, Payload, "the media file is too large", "use a smaller file: at most 10 MB as image or video, 2 MB as voice, 20 MB as file"),
    row(45002, Payload, "the content is too large", "shorten the message to 2048 bytes of UTF-8 (mpnews 666 KB), or send the long part with --file"),
    row(45004, Other, "the length of the app's description is invalid", OTHER_API),
    row(45007, Payload, "the voice is longer than 60 s", VOICE),
    row(45008, Payload, "the number of articles is not 1 to 8", "use 1 to 8 articles"),
    row(45009, RateLimited, "too many calls", "wait before you try again: a limit per minute blocks for 60 s, per hour for 60 min, per day until midnight, per month for 30 days"),
    row(45022, Other, "the length of the app's name is invalid", OTHER_API),
    row(45024, Other, "the corp has reached its limit of members", OTHER_API),
    row(45029, Other, "the answer would be too large", "ask for less at a time, such as one department"),
    row(45031, AuthFatal, "the secret is not safe enough and must be reset", "reset the secret under 应用管理 → the app → Secret, and store the new one where wecom-alert reads it"),
    row(45032, Payload, "the author is too long", "shorten the author of the mpnews article to 64 bytes"),
    row(45033, RateLimited, "too many calls at the same time", "start fewer sends at the same time, and try again in a minute"),
    row(45034, Payload, "a URL lacks its scheme", LINK),
    row(45035, Transient, "two calls changed the same record at once", "send again in a few seconds, one call at a time"),
    row(45036, RateLimited, "access is limited after unusual traffic", "slow down, find out what else uses this corp's API, and try again later"),
    row(46003, Other, "the app has no menu", OTHER_API),
    row(46004, Recipient, "the user does not exist", USER_ID),
    row(48001, Config, "the app may not use this API", "ask an admin to allow the app this API: 应用管理 → the app"),
    row(48002, Config, "no permission for this API", "use the secret of the app itself (应用管理 → the app → Secret): the secret of 通讯录同步 cannot send, and a mini program notice needs an app that is linked to that mini program"),
    row(48003, Other, "the suite_id does not fit the suite token", FOREIGN),
    row(48004, AuthFatal, "the authorisation is invalid or was cancelled", "ask an admin to authorise the app again: 应用管理 → the app"),
    row(48005, Other, "WeCom has abolished this API", "update wecom-alert: WeCom no longer has this call"),
    row(48006, AuthFatal, "the app lost this API because nobody used it for a long time", "ask an admin to enable the app again (应用管理 → the app), then open the app once"),
    row(48009, Config, "the contact-sync secret may not read contacts from a new IP", "use the secret of a self-built app (应用管理 → the app → Secret), not that of 通讯录同步"),
    row(48010, Config, "the version of TLS is not supported", "look for a proxy that uses an old TLS version: wecom-alert itself uses TLS 1.2 and 1.3"),
    row(49008, Recipient, "the chat was dissolved", "create a new chat and use its chatid"),
    row(50001, Other, "the domain of redirect_url is not trusted", OAUTH),
    row(50002, Recipient, "a member is outside what the app may see", RANGE),
    row(50003, AuthFatal, "the app is disabled", ENABLE),
    row(50006, AuthFatal, "the system app is disabled", ENABLE),
    row(60003, Recipient, "the department does not exist", PARTY_ID),
    row(60008, Other, "the department exists already", OTHER_API),
    row(60011, Recipient, "the app has no right on this member, department or tag", RANGE),
    row(60020, Config, "this IP is not trusted", TRUST_IP),
    row(60021, Recipient, "a member is outside the app's visible range", USER_ID),
    row(60031, AuthFatal, "the app is forbidden to call APIs", "ask the corp's admin or WeCom's support why the app under 应用管理 may not call APIs"),
    row(60103, Recipient, "the mobile number is malformed", "correct the mobile number: 5 to 32 bytes, as in 通讯录"),
    row(60105, Recipient, "the mail address is malformed", "correct the mail address"),
    row(60111, Recipient, "the userid does not exist", USER_ID),
    row(60123, Recipient, "a department id is invalid", PARTY_ID),
    row(60140, Other, "the response_code is invalid, expired or used up", "copy the response_code again: it is good for one update, within 72 hours; after that send a new card, since a click brings a new code only to the app's own callback URL"),
    row(60146, Recipient, "no member has this mobile number", "correct the mobile number (通讯录 → the member); do not guess: too many misses block the look-up for a day"),
    row(60147, Recipient, "no member has this mail address", "correct the mail address (通讯录 → the member); do not guess: too many misses block the look-up for a day"),
    row(60148, Recipient, "no member has this corp mail address", "correct the corp mail address (通讯录 → the member); do not guess: too many misses block the look-up for a day"),
    row(81012, Recipient, "no recipient was given", "name a recipient with --to-user, --to-party or --to-tag, or set to_user in the profile"),
    row(81013, Recipient, "all recipients are invalid or out of the visible range", "correct the ids (a number means a member with --to-user, a department with --to-party, a tag with --to-tag), or add them under 应用管理 → the app → 可见范围"),
    row(81026, Transient, "the function is under maintenance", "send again later: WeCom is working on this function"),
    row(82001, Recipient, "no recipient was given", "name a recipient with --to-user, --to-party or --to-tag, or set to_user in the profile"),
    row(82002, Recipient, "the list of departments is too long", "send to at most 100 departments at a time"),
    row(82003, Recipient, "the list of tags is too long", "send to at most 100 tags at a time"),
    row(82004, Payload, "the content could crash clients", "remove unusual characters from the text, such as control characters and long runs of combining marks"),
    row(82101, Recipient, "no recipient of the update was given", "say whose card to update: -u ID, --to-party ID, --to-tag ID or --all"),
    row(82102, Recipient, "a recipient of the update never got the card", "name only recipients who got the card"),
    row(84014, Other, "the member ticket has expired", OAUTH),
    row(84015, Other, "the member ticket is invalid", OAUTH),
    row(85002, Payload, "the content holds forbidden words", WORDING),
    row(86001, Recipient, "the chatid is invalid", CHAT_ID),
    row(86003, Recipient, "the chatid does not exist", CHAT_ID),
    row(86004, Payload, "the name of the chat is invalid", "give the chat a name of at most 50 characters"),
    row(86005, Recipient, "the owner of the chat is invalid", CHAT_USER),
    row(86006, Recipient, "the chat has too few or too many members", "give the chat 2 to 1999 members: the app counts too"),
    row(86007, Recipient, "a member of the chat is invalid", CHAT_USER),
    row(86008, Config, "the chat was created by another app", "use the profile of the app that created the chat"),
    row(86101, Config, "only the owner of the chat may do this", "only the chat's owner can do this: ask them"),
    row(86201, Payload, "the chatid is missing", "add the chatid"),
    row(86202, Payload, "the name of the chat is missing", "add a name for the chat"),
    row(86203, Payload, "the owner of the chat is missing", "add the owner of the chat"),
    row(86204, Payload, "the members of the chat are missing", "add 2 to 1999 members of the chat"),
    row(86205, Payload, "the chatid is too long", "use a chatid of at most 32 of the characters 0-9, a-z and A-Z"),
    row(86206, Payload, "the numeric chatid is too large", "use a smaller chatid: at most 32 of the characters 0-9, a-z and A-Z"),
    row(86207, Recipient, "the owner is not a member of the chat", "add the owner to the members too"),
    row(86214, Payload, "the type of the group message is invalid", "use text, image, voice, video, file, textcard, news, mpnews or markdown: a chat accepts no other msgtype"),
    row(86215, Payload, "the chatid exists already", "use another chatid, or send to the chat that has this one"),
    row(86216, Recipient, "a member id is illegal", "add only members who exist, and remove only members of the chat"),
    row(86217, Recipient, "the sender is not a member of the chat", "add the sender to the chat first"),
    row(86220, Payload, "the parameters of the chat are invalid", FIELD),
    row(86222, Recipient, "a message among several corps needs a downstream member", "add at least one member of a downstream corp"),
    row(86224, Config, "the chat is not a restricted group", COURSE),
    row(86225, Payload, "the owner of a course group cannot leave without a new one", COURSE),
    row(86226, Recipient, "the new owner of the course group lacks the right", COURSE),
    row(86227, Config, "the corp is not a university", COURSE),
    row(90200, Payload, "the appid of the mini program is missing", "add miniprogram_notice.appid"),
    row(90201, Payload, "content_item is too long", "use at most 10 entries in miniprogram_notice.content_item"),
    row(90202, Payload, "the length of a key in content_item is invalid", "use 1 to 10 Chinese characters for each key of content_item"),
    row(90203, Payload, "the length of a value in content_item is invalid", "use 1 to 30 Chinese characters for each value of content_item"),
    row(90204, Payload, "the page of the mini program is invalid", "correct miniprogram_notice.page: it must be a page of that mini program, at most 1024 bytes"),
    row(90206, Config, "the mini program is not linked to the corp", MINI_PROGRAM),
    row(90207, Config, "the appid of the mini program is invalid", MINI_PROGRAM),
    row(90208, Config, "the appid is not that of the linked mini program", MINI_PROGRAM),
    row(92000, Recipient, "a member is outside the app's visible range", USER_ID),
    row(93000, Config, "the webhook is invalid, or was removed from its group", WEBHOOK),
    row(93001, Config, "this group does not allow webhooks", "ask the group's owner to allow 消息推送, or use the webhook of another group"),
    row(93004, Config, "the webhook is disabled", "ask the group's owner to enable it again: the group → 消息推送"),
    row(93006, Recipient, "the group's id is invalid", WEBHOOK),
    row(93008, Config, "the webhook is not in the group", "add the webhook to the group again (the group → 消息推送) and use its new key"),
    row(93017, Payload, "the content is empty", "send a text that is not empty; with --payload, check that the body has an object named after the msgtype"),
    row(93018, Payload, "the image is too large", "use an image smaller than 2 MB, as JPG or PNG, or send it with --file"),
    row(93019, Config, "the id of the webhook is invalid", WEBHOOK),
    row(93050, Payload, "the response_type is invalid", "remove response_type: it is for smart bots, not for webhooks"),
    row(301002, Config, "the token has no right on this agent_id", "use agent_id and secret of the same app (应用管理 → the app shows AgentId and Secret together)"),
    row(301007, AuthFatal, "the corp is dissolved or banned", "ask the corp's admin or WeCom's support: the whole corp (我的企业 → 企业信息) is dissolved or banned"),
    row(301015, Payload, "the media_id is invalid", "use the media_id of an image that was uploaded in the last 3 days"),
    row(301016, Payload, "the voice is not acceptable", VOICE),
    row(301017, Payload, "the voice is not AMR", VOICE),
    row(301019, Payload, "the md5 does not fit the file", "use the md5 of the raw image bytes (before base64), and check that the base64 is complete; --image does both"),
    row(301021, Recipient, "a userid is invalid", USER_ID),
    row(301024, Other, "the interval of the attendance query is too long", OTHER_API),
    row(301025, Other, "a parameter of the approval API is invalid", OTHER_API),
    row(301042, Config, "the IP whitelist refuses this IP", TRUST_IP),
    row(600039, Payload, "the receiver's device does not support this", "send another type of message, such as markdown"),
    row(701008, Recipient, "no recipient has a valid licence for connected corps", "ask an admin to buy or assign the licence for these members"),
    row(701099, Recipient, "a recipient has no valid API licence", "ask an admin to assign a basic API licence (基础接口许可) to this member"),
    row(846601, Config, "the bot is not set to the long connection", AIBOT_MODE),
    row(846604, Payload, "the time to answer this press or message is over", ANSWER_ONCE),
    row(846605, Payload, "the req_id is not that of a press or message", ANSWER_ONCE),
    row(846606, Payload, "this press or message was answered already", ANSWER_ONCE),
    row(846607, RateLimited, "too many messages in this conversation, or nobody has written to the aibot in it", "if it worked there before, wait: an aibot may send 30 messages a minute and 1000 an hour to one conversation; if it never worked there (exit 5), somebody must write to the bot there once, in a group with @"),
    row(846608, Payload, "the stream of this answer is too old", ANSWER_ONCE),
    row(846609, Transient, "the connection of the aibot is not subscribed", "send again: wecom-alert then subscribes again; if it lasts, check whether another program uses this bot, since a bot has only one connection"),
    row(846610, Payload, "the biz_type is not supported", UPLOAD_ANEW),
    row(846611, Payload, "the upload_id is invalid", UPLOAD_ANEW),
    row(846612, Payload, "the number of a chunk is out of range", UPLOAD_ANEW),
    row(846613, Payload, "a chunk of the upload is too large", UPLOAD_ANEW),
    row(846616, Payload, "chunks of the upload are missing", UPLOAD_ANEW),
    row(846625, Payload, "the task_id is invalid", "use a task_id that this aibot has not used before: at most 128 of the characters 0-9, a-z, A-Z, _, - and @; if this was a retry after no answer, the card may have arrived"),
    row(846697, Payload, "the type of the file is not supported", "use a type that WeCom accepts (image: JPG or PNG, voice: AMR, video: MP4), or send the file with --file"),
    row(853000, AuthFatal, "the BotID or the Secret of the aibot is invalid", AIBOT_SECRET),
    row(853001, Config, "this gateway is for small corps only", GATEWAY),
    row(853006, Config, "this corp may not use this tool of the gateway", GATEWAY),
];
