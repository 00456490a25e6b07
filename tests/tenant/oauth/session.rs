//! The login page of the platform and the session that it opens.

use super::{Desk, authorize, pages};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Shows the login form.
pub fn page(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let goto = goto(desk, request)?;
    Ok(Reply::html(200, pages::login(&goto, "")))
}

/// Takes the login form: any name and password that are not empty open a session.
pub fn sign_in(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let goto = goto(desk, request)?;
    let form = request.form().ok_or_else(|| refused("The content type must be a form."))?;
    if form.get("cancel").is_some() {
        let query = goto.split_once('?').map_or("", |(_, query)| query);
        return authorize::cancelled(desk, query);
    }
    let (Some(user), Some(password)) = (form.get("username"), form.get("password")) else {
        return Ok(Reply::html(401, pages::login(&goto, "Name and password are both needed.")));
    };
    desk.book.remember("password", password);
    let session = desk.book.open_session(user, request.at);
    let cookie = format!("{}={session}; Path=/; HttpOnly; SameSite=Lax", desk.book.cookie_name);
    Ok(Reply::redirect(&goto).with("set-cookie", &cookie))
}

/// Returns where to go after the login: an authorization request of this tenant, nothing else.
fn goto(desk: &Desk<'_>, request: &Request) -> Result<String, Refusal> {
    let own = format!("{}/am/oauth2/authorize?", desk.origin);
    let goto = request.query("goto").filter(|goto| goto.starts_with(&own));
    goto.map(str::to_owned).ok_or_else(|| refused("The address to return to is not acceptable."))
}

fn refused(what: &str) -> Refusal {
    Reply::html(400, pages::bad_request(what)).into()
}
