//! A realm's authentication settings and its OAuth 2.0 provider.

use serde_json::{Value, json};

use super::{Desk, body, invalid_attribute, invalid_value, no_method, revised, single, versioned};
use crate::tenant::reply::{Outcome, Refusal};
use crate::tenant::request::Request;

/// Members of a body that are accepted and not stored.
const META: [&str; 2] = ["_id", "_type"];

/// Answers `realm-config/authentication`.
pub(super) fn answer(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match request.method.as_str() {
        "GET" => Ok(single(200, revised("", &desk.realm.settings), request)),
        "PUT" => {
            desk.realm.settings = merged(&desk.realm.settings, &body(request)?)?;
            Ok(versioned(single(200, revised("", &desk.realm.settings), request), "1.0").changing())
        }
        _ => Err(no_method(request)),
    }
}

/// Lays a body over the settings: sections as they are nested, or attributes flat; what is absent stays.
///
/// Errors: 400 for an attribute that is none, and for a value of another type.
fn merged(old: &Value, body: &Value) -> Result<Value, Refusal> {
    let mut new = old.clone();
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| !META.contains(&name.as_str())) {
        if let (Some(section), Some(attributes)) = (old.get(name), value.as_object()) {
            for (attribute, value) in attributes {
                set(&mut new, name, section, attribute, value)?;
            }
        } else {
            let holder = |section: &&(String, &Value)| section.1.get(name).is_some();
            let sections: Vec<(String, &Value)> = sections(old).collect();
            let (section_name, section) = sections.iter().find(holder).ok_or_else(|| invalid_attribute(valid(old)))?;
            set(&mut new, section_name, section, name, value)?;
        }
    }
    Ok(new)
}

fn sections(settings: &Value) -> impl Iterator<Item = (String, &Value)> {
    settings
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "_type")
        .map(|(name, value)| (name.clone(), value))
}

fn valid(settings: &Value) -> Vec<&str> {
    let members = settings.as_object().into_iter().flatten().filter(|(name, _)| *name != "_type");
    members
        .filter_map(|(_, section)| section.as_object())
        .flat_map(|section| section.keys().map(String::as_str))
        .collect()
}

fn set(new: &mut Value, name: &str, section: &Value, attribute: &str, value: &Value) -> Result<(), Refusal> {
    let old = section.get(attribute).ok_or_else(|| invalid_attribute(valid_in(section)))?;
    if std::mem::discriminant(old) != std::mem::discriminant(value) {
        return Err(invalid_value(attribute));
    }
    if let Some(members) = new.get_mut(name).and_then(Value::as_object_mut) {
        members.insert(attribute.to_owned(), value.clone());
    }
    Ok(())
}

fn valid_in(section: &Value) -> Vec<&str> {
    section.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// Answers `realm-config/services/oauth-oidc`.
pub(super) fn provider(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match request.method.as_str() {
        "GET" => Ok(single(200, revised("", &desk.realm.provider), request)),
        _ => Err(no_method(request)),
    }
}

/// The settings of a fresh realm.
pub(super) fn fresh(realm: &str) -> Value {
    json!({
        "core": {"adminAuthModule": "Login", "orgConfig": "Login"},
        "general": {"defaultAuthLevel": 0, "identityType": ["agent", "user"], "locale": "en_US",
                    "statelessSessionsEnabled": false, "twoFactorRequired": false, "userStatusCallbackPlugins": []},
        "security": {"addClearSiteDataHeader": true, "keyAlias": "test", "moduleBasedAuthEnabled": false,
                     "zeroPageLoginAllowedWithoutReferrer": true, "zeroPageLoginEnabled": false,
                     "zeroPageLoginReferrerWhiteList": [], "sharedSecret": {"$string": "&{am.authentication.shared.secret}"}},
        "trees": {"authenticationSessionsMaxDuration": 5, "authenticationSessionsStateManagement": "JWT",
                  "authenticationSessionsWhitelist": true, "authenticationTreeCookieHttpOnly": true,
                  "suspendedAuthenticationTimeout": 5},
        "accountlockout": {"lockoutDuration": 0, "lockoutDurationMultiplier": 1, "lockoutWarnUserCount": 0,
                           "loginFailureCount": 5, "loginFailureDuration": 300, "loginFailureLockoutMode": false,
                           "storeInvalidAttemptsInDataStore": true},
        "postauthprocess": {"loginFailureUrl": [], "loginPostProcessClass": [], "userAttributeSessionMapping": [],
                            "loginSuccessUrl": [format!("/enduser/?realm=/{realm}")], "usernameGeneratorEnabled": true,
                            "usernameGeneratorClass": "com.sun.identity.authentication.spi.DefaultUserIDGenerator"},
        "userprofile": {"aliasAttributeName": ["uid"], "defaultRole": [], "dynamicProfileCreation": "false"},
        "_type": {"_id": "EMPTY", "name": "Core", "collection": false},
    })
}

/// The OAuth 2.0 provider of a fresh realm.
pub(super) fn fresh_provider() -> Value {
    json!({
        "coreOAuth2Config": {"accessTokenLifetime": 3600, "codeLifetime": 120, "refreshTokenLifetime": 604_800,
                             "issueRefreshToken": true, "issueRefreshTokenOnRefreshedToken": true, "statelessTokensEnabled": true},
        "deviceCodeConfig": {"deviceCodeLifetime": 300, "devicePollInterval": 5, "deviceUserCodeLength": 8},
        "advancedOAuth2Config": {"grantTypes": ["authorization_code", "refresh_token", "client_credentials"],
                                 "acceptAudienceParametersInTokenExchangeRequests": false, "codeVerifierEnforced": "false"},
        "aiAgentsConfig": {"aiAgentsEnabled": false, "aiAgentsIdentityObjectName": "aiagent", "aiAgentsPrivilegeObjectName": "aiagentprivilege"},
        "_type": {"_id": "oauth-oidc", "name": "OAuth2 Provider", "collection": false},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_body_set_the_default_journey() {
        let old = fresh("alpha");
        let flat = merged(&old, &json!({"orgConfig": "Other", "adminAuthModule": "Login"}));
        let nested = merged(&old, &json!({"_id": "", "core": {"orgConfig": "Other", "adminAuthModule": "Login"}}));

        assert_eq!(flat, nested);
        assert_eq!(flat.map(|new| new.pointer("/core/orgConfig").cloned()), Ok(Some(json!("Other"))));
    }

    #[test]
    fn unknown_attributes_and_other_types_are_refused() {
        let old = fresh("alpha");
        for body in
            [json!({"_rev": "1"}), json!({"core": {"nothing": 1}}), json!({"orgConfig": 5}), json!({"nothing": {}})]
        {
            assert_eq!(merged(&old, &body).map_err(|refusal| refusal.status), Err(400), "{body}");
        }
    }
}
