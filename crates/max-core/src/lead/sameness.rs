//! Who is who: aliases of one address, and the company behind it.

/// Providers that anybody has an address at: the same domain says nothing about the company.
const FREEMAIL: &[&str] = &[
    // Reserved for examples (RFC 2606): nobody's company.
    "example.com",
    "example.net",
    "example.org",
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.nl",
    "live.com",
    "live.de",
    "live.nl",
    "live.fr",
    "msn.com",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "web.de",
    "t-online.de",
    "freenet.de",
    "arcor.de",
    "posteo.de",
    "mailbox.org",
    "proton.me",
    "protonmail.com",
    "pm.me",
    "tutanota.com",
    "tutanota.de",
    "mail.com",
    "zoho.com",
    "fastmail.com",
    "hey.com",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "laposte.net",
    "ziggo.nl",
    "kpnmail.nl",
    "kpnplanet.nl",
    "xs4all.nl",
    "planet.nl",
    "home.nl",
    "telenet.be",
    "skynet.be",
    "bluewin.ch",
    "btinternet.com",
    "yandex.com",
    "qq.com",
    "163.com",
];

/// One key for all aliases of an address: without case, without what follows a plus sign, and for Google's two names
/// without dots. Anything else that a provider may treat alike stays apart: two people in one is the worse mistake.
pub fn address_key(address: &str) -> String {
    let address = address.trim().to_lowercase();
    let Some((local, domain)) = address.rsplit_once('@') else { return address };
    let domain = domain.trim_end_matches('.');
    let plain = local.split('+').next().filter(|l| !l.is_empty()).unwrap_or(local);
    match domain {
        "gmail.com" | "googlemail.com" => {
            let dotless = plain.replace('.', "");
            format!("{}@gmail.com", if dotless.is_empty() { plain } else { &dotless })
        }
        _ => format!("{plain}@{domain}"),
    }
}

/// The domain of a company's own address, or nothing for a provider's.
pub fn mail_domain(address: &str) -> Option<String> {
    let (_, domain) = address.trim().rsplit_once('@')?;
    company(domain)
}

/// True for an address that no person reads: a mailer-daemon, `no-reply`.
pub fn is_robot(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    let plain: String = local.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    matches!(plain.as_str(), "mailerdaemon" | "postmaster" | "noreply" | "donotreply" | "mailer" | "bounce" | "bounces")
        || local.starts_with("bounce+")
        || local.starts_with("bounces+")
}

/// The domain of a web site as somebody wrote it, without `www.`; nothing for what is no host name.
pub fn site_domain(website: &str) -> Option<String> {
    let site = website.trim();
    let site = site.split_once("://").map_or(site, |(_, rest)| rest);
    let host = site.split(['/', '?', '#']).next().unwrap_or(site);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next().unwrap_or(host);
    company(host)
}

fn company(host: &str) -> Option<String> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    let named = host.contains('.') && host.len() <= 253 && host.split('.').all(label);
    let numbers = host.split('.').all(|l| l.chars().all(|c| c.is_ascii_digit()));
    (named && !numbers && !FREEMAIL.contains(&host)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_one_address_have_one_key() {
        for alias in ["Ada@Yoga.example", "ada+web@yoga.example", " ada+a+b@yoga.example ", "ada@yoga.example."] {
            assert_eq!(address_key(alias), "ada@yoga.example", "{alias}");
        }
        for alias in ["a.da.L@gmail.com", "adal+x@googlemail.com", "ADAL@gmail.com"] {
            assert_eq!(address_key(alias), "adal@gmail.com", "{alias}");
        }
        assert_ne!(address_key("a.da@yoga.example"), address_key("ada@yoga.example"), "dots count elsewhere");
        assert_eq!(
            (address_key("+x@a.example").as_str(), address_key("no address").as_str()),
            ("+x@a.example", "no address")
        );
    }

    #[test]
    fn a_company_is_known_by_its_own_domain_and_not_by_a_providers() {
        assert_eq!(mail_domain("ada@Yoga.Example").as_deref(), Some("yoga.example"));
        assert_eq!(mail_domain("ada@gmail.com"), None);
        assert_eq!(site_domain("https://www.yoga.example/kurse?x=1").as_deref(), Some("yoga.example"));
        assert_eq!(site_domain("yoga.example:8080").as_deref(), Some("yoga.example"));
        for odd in ["", "no", "javascript:alert(1)", "127.0.0.1", "http://", "a..b", "my site"] {
            assert_eq!(site_domain(odd), None, "{odd}");
        }
    }
}
