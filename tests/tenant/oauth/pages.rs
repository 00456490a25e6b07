//! The few HTML pages that a person sees. Loads nothing from elsewhere.

/// Escapes text for HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:1rem sans-serif;margin:4rem auto;max-width:24rem}}label{{display:block;margin:1rem 0}}\
         input{{width:100%}}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )
}

const CREDENTIALS: &str = "<label>Name <input name=\"username\" autofocus></label>\
                           <label>Password <input name=\"password\" type=\"password\"></label>";

/// The login form.
pub fn login(goto: &str, complaint: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("realm", "/")
        .append_pair("goto", goto)
        .finish();
    let body = format!(
        "<p role=\"alert\">{}</p><form method=\"post\" action=\"/am/XUI/?{}\">{CREDENTIALS}\
         <button name=\"login\" value=\"1\">Sign in</button> <button name=\"cancel\" value=\"1\">Cancel</button></form>",
        escape(complaint),
        escape(&query)
    );
    page("Sandbox tenant: sign in", &body)
}

/// The page where a person types a device's code.
pub fn device(user_code: &str, complaint: &str) -> String {
    let body = format!(
        "<p role=\"alert\">{}</p><form method=\"post\" action=\"/am/oauth2/device/user\">\
         <label>Code <input name=\"user_code\" value=\"{}\"></label>{CREDENTIALS}\
         <button name=\"decision\" value=\"allow\">Approve</button> \
         <button name=\"decision\" value=\"deny\">Deny</button></form>",
        escape(complaint),
        escape(user_code)
    );
    page("Sandbox tenant: connect a device", &body)
}

/// The page after a device was decided.
pub fn device_done(approved: bool) -> String {
    let words = if approved { "The device is signed in." } else { "The device was refused." };
    page("Done", &format!("<p>{words} You can close this window.</p>"))
}

/// The page of a bad request.
pub fn bad_request(what: &str) -> String {
    page("Bad request", &format!("<p>{}</p>", escape(what)))
}

/// A page that leads nowhere.
pub fn waiting() -> String {
    page("Sandbox tenant", "<p>This page never returns.</p>")
}
