//! Advertising, and its near twin: an honest enquiry that names the same words, shouts or brings many links.

use std::sync::LazyLock;

use max_core::policy::Service;

use super::super::text::{Said, list, sentences};
use super::factors::NEED;

/// Three points of advertising are spam, unless somebody asks for something the agency does.
pub fn is_spam(said: &Said, offered: &[Service]) -> bool {
    points(said) >= 3 && !asks_for_own(said, offered)
}

/// True when one sentence says both that the writer needs something and what, and it is not the reader's own thing:
/// "we need a website" asks, "we need to talk about your website" sells.
fn asks_for_own(said: &Said, offered: &[Service]) -> bool {
    sentences(&said.original).iter().map(|s| Said::new(s.text)).any(|sentence| {
        let named = offered.iter().any(|s| sentence.has(&s.keywords));
        named && sentence.has(&NEED) && !sentence.has(&YOURS)
    })
}

static YOURS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "your website | your web site | your site | your business | your ranking | your online presence | your company's
         ihre website | ihre webseite | ihrer website | ihrer webseite | ihre homepage | ihr unternehmen | deine website
         uw website | uw site | uw bedrijf | jouw website
         votre site | votre entreprise | votre boutique | ton site",
    )
});

static STRONG: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "first page of google | page 1 of google | rank your website | increase your traffic | boost your traffic
         guest post | backlinks | buy followers | casino bonus | online casino | crypto invest | bitcoin invest
         double your money | viagra | cheap pills | payday loan | quick loan | lottery | you have won | inheritance
         million dollars | work from home | seo services | seo packages | web design services at
         seite 1 bei google | mehr besucher garantiert | sie haben gewonnen | schnelle kredite | kredit ohne schufa
         suchmaschinenoptimierung zum festpreis
         eerste pagina van google | pagina 1 van google | meer bezoekers gegarandeerd | u heeft gewonnen | snel geld lenen
         seo-diensten | seo diensten
         première page de google | première page google | plus de trafic garanti | vous avez gagné | crédit rapide
         prêt rapide | services seo | achat de liens",
    )
});

static WEAK: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "we offer | our services | our team of experts | limited offer | limited time | act now | click here | unsubscribe
         100% guarantee | dear sir | dear webmaster | dear business owner | special offer | risk free | no obligation
         earn money | do you need | does your website | i came across your website | i was on your website
         wir bieten | unsere dienstleistungen | jetzt klicken | hier klicken | garantiert | unverbindlich und kostenlos
         wij bieden | onze diensten | klik hier | gegarandeerd | geachte webmaster | gratis en vrijblijvend
         nous offrons | nous proposons | nos services | cliquez ici | garanti | cher webmaster | sans engagement",
    )
});

fn points(said: &Said) -> usize {
    let count = |words: &[&str]| words.iter().filter(|w| said.position(w).is_some()).count();
    let links = said.original.matches("http://").count() + said.original.matches("https://").count();
    2 * count(&STRONG)
        + count(&WEAK)
        + match links {
            0 | 1 => 0,
            2 | 3 => 1,
            _ => 2,
        }
}
