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
            ("accessTokenMayActScript", Kind::Text(Some("[Empty]"))),
            ("accessTokenModificationPluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("accessTokenModificationScript", Kind::Text(Some("[Empty]"))),
            ("accessTokenModifierClass", Kind::Text(None)),
            (
                "authorizeEndpointDataProviderClass",
                Kind::Text(Some("org.forgerock.oauth2.core.plugins.registry.DefaultEndpointDataProvider")),
            ),
            ("authorizeEndpointDataProviderPluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("authorizeEndpointDataProviderScript", Kind::Text(Some("[Empty]"))),
            ("clientsCanSkipConsent", Kind::Flag(false)),
            ("customLoginUrlTemplate", Kind::Text(None)),
            ("enableRemoteConsent", Kind::Flag(false)),
            (
                "evaluateScopeClass",
                Kind::Text(Some("org.forgerock.oauth2.core.plugins.registry.DefaultScopeEvaluator")),
            ),
            ("evaluateScopePluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("evaluateScopeScript", Kind::Text(Some("[Empty]"))),
            ("issueRefreshToken", Kind::Flag(true)),
            ("issueRefreshTokenOnRefreshedToken", Kind::Flag(true)),
            ("oidcClaimsClass", Kind::Text(None)),
            ("oidcClaimsPluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("oidcClaimsScript", Kind::Text(Some("[Empty]"))),
            ("oidcMayActScript", Kind::Text(Some("[Empty]"))),
            ("overrideableOIDCClaims", Kind::Texts(&[])),
            ("providerOverridesEnabled", Kind::Flag(false)),
            ("remoteConsentServiceId", Kind::Text(None)),
            ("scopesPolicySet", Kind::Text(Some("oauth2Scopes"))),
            ("statelessTokensEnabled", Kind::Flag(false)),
            ("tokenEncryptionEnabled", Kind::Flag(false)),
            ("useForceAuthnForMaxAge", Kind::Flag(false)),
            ("usePolicyEngineForScope", Kind::Flag(false)),
            (
                "validateScopeClass",
                Kind::Text(Some("org.forgerock.oauth2.core.plugins.registry.DefaultScopeValidator")),
            ),
            ("validateScopePluginType", Kind::Choice(&["PROVIDER", "SCRIPTED", "JAVA"])),
            ("validateScopeScript", Kind::Text(Some("[Empty]"))),
            ("enableApplicationContext", Kind::Flag(false)),
            ("acceptAudienceParametersInTokenExchangeRequests", Kind::Flag(false)),
        ],
    ),
    (
        "coreOAuth2ClientConfig",
        &[
            ("accessTokenLifetime", Kind::Whole(0)),
            ("agentgroup", Kind::Text(None)),
            ("authorizationCodeLifetime", Kind::Whole(0)),
            ("clientName", Kind::Texts(&[])),
            ("clientType", Kind::Choice(&["Confidential", "Public"])),
            ("defaultScopes", Kind::Texts(&[])),
            ("loopbackInterfaceRedirection", Kind::Flag(false)),
            ("redirectionUris", Kind::Texts(&[])),
            ("refreshTokenLifetime", Kind::Whole(0)),
            ("scopes", Kind::Texts(&[])),
            ("status", Kind::Choice(&["Active", "Inactive"])),
            ("userpassword", Kind::Text(None)),
            ("secretLabelIdentifier", Kind::Text(None)),
        ],
    ),
    (
        "advancedOAuth2ClientConfig",
        &[
            ("clientUri", Kind::Texts(&[])),
            ("contacts", Kind::Texts(&[])),
            ("customProperties", Kind::Texts(&[])),
            ("descriptions", Kind::Texts(&[])),
            ("grantTypes", Kind::Texts(&["authorization_code"])),
            ("isConsentImplied", Kind::Flag(false)),
            ("javascriptOrigins", Kind::Texts(&[])),
            ("logoUri", Kind::Texts(&[])),
            ("mixUpMitigation", Kind::Flag(false)),
            ("name", Kind::Texts(&[])),
            ("policyUri", Kind::Texts(&[])),
            ("refreshTokenGracePeriod", Kind::Whole(0)),
            ("requestUris", Kind::Texts(&[])),
            ("require_pushed_authorization_requests", Kind::Flag(false)),
            (
                "responseTypes",
                Kind::Texts(&[
                    "code",
                    "token",
                    "id_token",
                    "code token",
                    "token id_token",
                    "code id_token",
                    "code token id_token",
                    "device_code",
                    "device_code id_token",
                ]),
            ),
            ("sectorIdentifierUri", Kind::Text(None)),
            ("softwareIdentity", Kind::Text(None)),
            ("softwareVersion", Kind::Text(None)),
            ("subjectType", Kind::Choice(&["public", "pairwise"])),
            (
                "tokenEndpointAuthMethod",
                Kind::Choice(&[
                    "client_secret_basic",
                    "client_secret_post",
                    "private_key_jwt",
                    "tls_client_auth",
                    "self_signed_tls_client_auth",
                    "none",
                ]),
            ),
            ("tokenExchangeAuthLevel", Kind::Whole(0)),
            ("tosURI", Kind::Texts(&[])),
            ("updateAccessToken", Kind::Text(None)),
            ("allowedResourceServerAudienceValues", Kind::Texts(&[])),
            ("treeName", Kind::Text(Some("[Empty]"))),
        ],
    ),
    (
        "signEncOAuth2ClientConfig",
        &[
            ("authorizationResponseEncryptionAlgorithm", Kind::Text(None)),
            ("authorizationResponseEncryptionMethod", Kind::Text(None)),
            ("authorizationResponseSigningAlgorithm", Kind::Text(Some("RS256"))),
            ("clientJwtPublicKey", Kind::Text(None)),
            ("idTokenEncryptionAlgorithm", Kind::Text(Some("RSA-OAEP-256"))),
            ("idTokenEncryptionEnabled", Kind::Flag(false)),
            ("idTokenEncryptionMethod", Kind::Text(Some("A128CBC-HS256"))),
            ("idTokenPublicEncryptionKey", Kind::Text(None)),
            ("idTokenSignedResponseAlg", Kind::Text(Some("RS256"))),
            ("jwkSet", Kind::Text(None)),
            ("jwkStoreCacheMissCacheTime", Kind::Whole(60_000)),
            ("jwksCacheTimeout", Kind::Whole(3_600_000)),
            ("jwksUri", Kind::Text(None)),
            ("mTLSCertificateBoundAccessTokens", Kind::Flag(false)),
            ("mTLSSubjectDN", Kind::Text(None)),
            ("mTLSTrustedCert", Kind::Text(None)),
            ("publicKeyLocation", Kind::Choice(&["jwks_uri", "jwks", "x509"])),
            ("requestParameterEncryptedAlg", Kind::Text(None)),
            ("requestParameterEncryptedEncryptionAlgorithm", Kind::Text(Some("A128CBC-HS256"))),
            ("requestParameterSignedAlg", Kind::Text(None)),
            ("tokenEndpointAuthSigningAlgorithm", Kind::Text(Some("RS256"))),
            ("tokenIntrospectionEncryptedResponseAlg", Kind::Text(Some("RSA-OAEP-256"))),
            ("tokenIntrospectionEncryptedResponseEncryptionAlgorithm", Kind::Text(Some("A128CBC-HS256"))),
            ("tokenIntrospectionResponseFormat", Kind::Text(Some("JSON"))),
            ("tokenIntrospectionSignedResponseAlg", Kind::Text(Some("RS256"))),
            ("userinfoEncryptedResponseAlg", Kind::Text(None)),
            ("userinfoEncryptedResponseEncryptionAlgorithm", Kind::Text(Some("A128CBC-HS256"))),
            ("userinfoResponseFormat", Kind::Text(Some("JSON"))),
            ("userinfoSignedResponseAlg", Kind::Text(None)),
        ],
    ),
    (
        "coreOpenIDClientConfig",
        &[
            ("backchannel_logout_session_required", Kind::Flag(false)),
            ("backchannel_logout_uri", Kind::Text(None)),
            ("claims", Kind::Texts(&[])),
            ("clientSessionUri", Kind::Text(None)),
            ("defaultAcrValues", Kind::Texts(&[])),
            ("defaultMaxAge", Kind::Whole(600)),
            ("defaultMaxAgeEnabled", Kind::Flag(false)),
            ("jwtTokenLifetime", Kind::Whole(0)),
            ("postLogoutRedirectUri", Kind::Texts(&[])),
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
        let values: Map<String, Value> =
            attributes.iter().map(|(name, kind)| ((*name).to_owned(), kind.default())).collect();
        ((*name).to_owned(), Value::Object(values))
    };
    Value::Object(SECTIONS.iter().map(section).collect())
}

/// Returns the schema that the `schema` action gives.
pub fn schema() -> Value {
    let section = |(at, (name, attributes)): (usize, &Section)| {
        let properties: Map<String, Value> = attributes
            .iter()
            .enumerate()
            .map(|(at, (attribute, kind))| ((*attribute).to_owned(), property(name, attribute, *kind, at)))
            .collect();
        let body =
            json!({"type": "object", "title": format!("Part {name}"), "propertyOrder": at, "properties": properties});
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
