//! The attributes of an OAuth 2.0 client, section by section: real names and defaults; the words are ours.

use serde_json::{Map, Value, json};

/// What an attribute takes, with its default.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text or nothing.
    Text(Option<&'static str>),
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
}

/// The one section whose values are not wrapped.
pub const BARE_SECTION: &str = "overrideOAuth2ClientConfig";

/// A section's name and attributes.
type Section = (&'static str, &'static [(&'static str, Kind)]);

/// All sections.
pub const SECTIONS: [Section; 6] = [
    (
        BARE_SECTION,
        &[
            ("providerOverridesEnabled", Kind::Flag(false)),
            ("statelessTokensEnabled", Kind::Flag(false)),
            ("issueRefreshToken", Kind::Flag(true)),
            ("issueRefreshTokenOnRefreshedToken", Kind::Flag(true)),
            ("clientsCanSkipConsent", Kind::Flag(false)),
            ("enableRemoteConsent", Kind::Flag(false)),
            ("usePolicyEngineForScope", Kind::Flag(false)),
            ("scopesPolicySet", Kind::Text(Some("oauth2Scopes"))),
            ("accessTokenMayActScript", Kind::Text(Some("[Empty]"))),
            ("oidcMayActScript", Kind::Text(Some("[Empty]"))),
            ("accessTokenModificationScript", Kind::Text(Some("[Empty]"))),
            ("accessTokenModificationPluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("oidcClaimsScript", Kind::Text(Some("[Empty]"))),
            ("oidcClaimsPluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("remoteConsentServiceId", Kind::Text(None)),
        ],
    ),
    (
        "coreOAuth2ClientConfig",
        &[
            ("status", Kind::Choice(&["Active", "Inactive"])),
            ("clientType", Kind::Choice(&["Confidential", "Public"])),
            ("clientName", Kind::Texts(&[])),
            ("redirectionUris", Kind::Texts(&[])),
            ("scopes", Kind::Texts(&[])),
            ("defaultScopes", Kind::Texts(&[])),
            ("userpassword", Kind::Text(None)),
            ("loopbackInterfaceRedirection", Kind::Flag(false)),
            ("accessTokenLifetime", Kind::Whole(0)),
            ("refreshTokenLifetime", Kind::Whole(0)),
            ("authorizationCodeLifetime", Kind::Whole(0)),
            ("agentgroup", Kind::Text(None)),
            ("secretLabelIdentifier", Kind::Text(None)),
        ],
    ),
    (
        "advancedOAuth2ClientConfig",
        &[
            ("grantTypes", Kind::Texts(&["authorization_code"])),
            ("responseTypes", Kind::Texts(&["code", "token", "id_token"])),
            (
                "tokenEndpointAuthMethod",
                Kind::Choice(&["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
            ),
            ("subjectType", Kind::Choice(&["public", "pairwise"])),
            ("isConsentImplied", Kind::Flag(false)),
            ("mixUpMitigation", Kind::Flag(false)),
            ("require_pushed_authorization_requests", Kind::Flag(false)),
            ("refreshTokenGracePeriod", Kind::Whole(0)),
            ("tokenExchangeAuthLevel", Kind::Whole(0)),
            ("descriptions", Kind::Texts(&[])),
            ("name", Kind::Texts(&[])),
            ("contacts", Kind::Texts(&[])),
            ("clientUri", Kind::Texts(&[])),
            ("logoUri", Kind::Texts(&[])),
            ("policyUri", Kind::Texts(&[])),
            ("tosURI", Kind::Texts(&[])),
            ("requestUris", Kind::Texts(&[])),
            ("javascriptOrigins", Kind::Texts(&[])),
            ("customProperties", Kind::Texts(&[])),
            ("sectorIdentifierUri", Kind::Text(None)),
            ("softwareIdentity", Kind::Text(None)),
            ("softwareVersion", Kind::Text(None)),
            ("updateAccessToken", Kind::Text(None)),
        ],
    ),
    (
        "signEncOAuth2ClientConfig",
        &[
            ("idTokenSignedResponseAlg", Kind::Text(Some("RS256"))),
            ("idTokenEncryptionEnabled", Kind::Flag(false)),
            ("idTokenEncryptionAlgorithm", Kind::Text(Some("RSA-OAEP-256"))),
            ("idTokenEncryptionMethod", Kind::Text(Some("A128CBC-HS256"))),
            ("tokenEndpointAuthSigningAlgorithm", Kind::Text(Some("RS256"))),
            ("publicKeyLocation", Kind::Choice(&["jwks_uri", "jwks", "x509"])),
            ("userinfoResponseFormat", Kind::Choice(&["JSON", "SIGNED_JWT"])),
            ("tokenIntrospectionResponseFormat", Kind::Choice(&["JSON", "SIGNED_JWT"])),
            ("mTLSCertificateBoundAccessTokens", Kind::Flag(false)),
            ("jwksCacheTimeout", Kind::Whole(3_600_000)),
            ("jwkStoreCacheMissCacheTime", Kind::Whole(60_000)),
            ("jwksUri", Kind::Text(None)),
            ("jwkSet", Kind::Text(None)),
            ("clientJwtPublicKey", Kind::Text(None)),
        ],
    ),
    (
        "coreOpenIDClientConfig",
        &[
            ("claims", Kind::Texts(&[])),
            ("postLogoutRedirectUri", Kind::Texts(&[])),
            ("defaultAcrValues", Kind::Texts(&[])),
            ("defaultMaxAge", Kind::Whole(600)),
            ("defaultMaxAgeEnabled", Kind::Flag(false)),
            ("jwtTokenLifetime", Kind::Whole(0)),
            ("backchannel_logout_session_required", Kind::Flag(false)),
            ("backchannel_logout_uri", Kind::Text(None)),
            ("clientSessionUri", Kind::Text(None)),
        ],
    ),
    ("coreUmaClientConfig", &[("claimsRedirectionUris", Kind::Texts(&[]))]),
];

impl Kind {
    /// Tells whether a bare value fits.
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text(_) => value.is_string() || value.is_null(),
            Self::Flag(_) => value.is_boolean(),
            Self::Whole(_) => value.is_i64(),
            Self::Texts(_) => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        }
    }

    /// Returns the default.
    pub fn default(self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Flag(flag) => json!(flag),
            Self::Whole(number) => json!(number),
            Self::Texts(texts) => json!(texts),
            Self::Choice(choices) => json!(choices.first()),
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Text(_) => json!({"type": "string"}),
            Self::Flag(_) => json!({"type": "boolean"}),
            Self::Whole(_) => json!({"type": "integer"}),
            Self::Texts(_) => json!({"type": "array", "items": {"type": "string"}}),
            Self::Choice(choices) => json!({"type": "string", "enum": choices}),
        }
    }
}

/// Returns a client with nothing but defaults, flat.
pub fn defaults() -> Value {
    let section = |(name, attributes): &Section| {
        let values: Map<String, Value> = attributes.iter().map(|(name, kind)| ((*name).to_owned(), kind.default())).collect();
        ((*name).to_owned(), Value::Object(values))
    };
    Value::Object(SECTIONS.iter().map(section).collect())
}

/// Returns the schema that the `schema` action gives.
pub fn schema() -> Value {
    let section = |(at, (name, attributes)): (usize, &Section)| {
        let properties: Map<String, Value> =
            attributes.iter().enumerate().map(|(at, (attribute, kind))| ((*attribute).to_owned(), property(name, attribute, *kind, at))).collect();
        let body = json!({"type": "object", "title": format!("Part {name}"), "propertyOrder": at, "properties": properties});
        ((*name).to_owned(), body)
    };
    let properties: Map<String, Value> = SECTIONS.iter().enumerate().map(section).collect();
    json!({"type": "object", "properties": properties})
}

fn property(section: &str, name: &str, kind: Kind, at: usize) -> Value {
    let (order, title) = ((at + 1) * 100, format!("Client {name}"));
    let words = format!("Sets {name} of the client.");
    if section == BARE_SECTION {
        let mut schema = kind.schema();
        if let Some(members) = schema.as_object_mut() {
            members.insert("title".to_owned(), json!(title));
            members.insert("description".to_owned(), json!(words));
            members.insert("propertyOrder".to_owned(), json!(order));
        }
        return schema;
    }
    json!({
        "title": title, "description": words, "propertyOrder": order, "type": "object", "exampleValue": "",
        "properties": {"inherited": {"type": "boolean"}, "value": kind.schema()},
    })
}
