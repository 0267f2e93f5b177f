//! What a client means by an answer. Conservative: what is not clear is no yes and no no.

use std::sync::LazyLock;

use max_core::figures::{self, Value};

use super::text::{Said, list, sentences};

static NO: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "not interested any more | not interested anymore | no longer interested | we are not interested
         i am not interested | i'm not interested | we're not interested | please stop writing
         stop contacting | we decided against | we have decided against | decided not to go ahead
         not going ahead | we went with another | we have chosen another | we chose another
         found another agency | no thanks | no, thanks | no thank you | no, thank you | we decline
         please cancel | we have to cancel | kein interesse | nicht mehr interessiert
         haben uns dagegen entschieden | habe mich dagegen entschieden | haben uns anders entschieden
         haben uns für eine andere | haben uns für einen anderen | nein danke | nein, danke | wir sagen ab
         wir müssen absagen | möchten absagen | bitte nicht mehr schreiben | wir lehnen ab
         hat sich erledigt
         geen interesse | niet meer geïnteresseerd | niet langer geïnteresseerd | wij hebben ertegen besloten | we hebben ertegen besloten
         hebben besloten het niet te doen | hebben voor een ander | hebben een ander bureau | nee bedankt | nee, bedankt | nee dank
         wij zien ervan af | we zien ervan af | wij moeten afzeggen | niet meer schrijven | schrijf ons niet meer
         pas intéressé | plus intéressé | nous ne sommes pas intéressés | nous avons décidé de ne pas | nous avons choisi une autre
         nous avons choisi un autre | une autre agence | non merci | non, merci | nous renonçons | je renonce | nous déclinons
         nous devons annuler | ne nous écrivez plus | n'écrivez plus | n’écrivez plus | ne plus nous écrire",
    )
});

/// True when the client says plainly that they want nothing more.
pub fn withdraws(message: &str) -> bool {
    sentences(message).iter().any(|s| !s.question && Said::new(s.text).has(&NO))
}

static ASKS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "are you human | are you a human | are you a real person | are you a person | are you a bot
         are you a robot | are you an ai | are you ai | is this a bot | is this an ai | am i talking to a
         am i writing with a | am i speaking with a | talk to a human | talk to a person | speak to a human
         speak to a person | speak with a person | a real human | sind sie ein mensch | bist du ein mensch
         sind sie ein bot | bist du ein bot | sind sie eine ki | bist du eine ki | ist das ein bot
         ist das eine ki | schreibe ich mit einem menschen | schreibe ich mit einem bot
         schreibe ich mit einer ki | spreche ich mit einem menschen | ein echter mensch
         mit einem menschen sprechen
         bent u een mens | ben je een mens | bent u een bot | ben je een bot | bent u een robot | ben je een robot | bent u een ai | ben je een ai
         is dit een bot | is dit een ai | praat ik met een | schrijf ik met een | spreek ik met een | een echt mens | een echt persoon
         met een mens spreken | met een mens praten | iemand van vlees en bloed
         êtes-vous humain | êtes-vous un humain | êtes-vous une personne | es-tu humain | es-tu une personne | êtes-vous un robot | es-tu un robot
         êtes-vous un bot | es-tu un bot | êtes-vous une ia | es-tu une ia | est-ce un robot | est-ce une ia | est-ce que je parle à
         vous êtes un robot | vous êtes une ia | vous êtes humain | tu es un robot | une vraie personne | parler à une personne | parler à un humain",
    )
});

/// True when the client asks whether a person is writing.
pub fn asks_for_a_human(message: &str) -> bool {
    Said::new(message).has(&ASKS)
}

static YES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "we accept | i accept | accepted | we agree | i agree | agreed | go ahead | let's do it | lets do it
         let us do it | let's go | sounds good | we would like to proceed | we'd like to proceed
         please proceed | happy to proceed | deal | you have our approval | please send the contract
         we take the offer | yes please | yes, please | approved | einverstanden | wir nehmen an
         nehmen das angebot an | nehmen ihr angebot an | wir akzeptieren | ich akzeptiere | angenommen
         machen wir | so machen wir | legen sie los | legt los | auftrag erteilt | wir beauftragen
         ich beauftrage | passt so | wir stimmen zu | ja, gerne | ja gerne | zusage | bitte den vertrag
         bitte schicken sie den vertrag
         akkoord | wij accepteren | we accepteren | ik accepteer | wij nemen de offerte aan | we nemen de offerte aan | wij gaan akkoord | we gaan akkoord
         ga uw gang | ga je gang | laten we het doen | doen we | wij geven opdracht | we geven opdracht | goedgekeurd | ja graag | ja, graag
         stuur de overeenkomst | stuur het contract | wij stemmen in | we stemmen in | klinkt goed
         nous acceptons | j'accepte | j’accepte | d'accord | d’accord | nous sommes d'accord | nous sommes d’accord | je suis d'accord | je suis d’accord
         allons-y | allez-y | c'est bon pour nous | c’est bon pour nous | bon pour accord | nous validons | je valide | approuvé | oui, volontiers | oui volontiers
         envoyez le contrat | envoyez-nous le contrat | nous vous confions | marché conclu",
    )
});

static BUT: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "if | unless | provided | only when | but | cannot | can't | can not | not | don't | won't
         before we | wenn | falls | sofern | aber | nicht | kein | keine | keinen | vorausgesetzt | erst wenn | bevor wir
         als | tenzij | mits | op voorwaarde | alleen wanneer | maar | niet | geen | voordat we | voordat wij | kunnen we niet
         si | à condition | sauf | seulement quand | mais | ne pouvons | ne peux | pas | avant que | sous réserve",
    )
});

/// True when the client accepts, without an if or a but.
pub fn accepts(message: &str) -> bool {
    sentences(message).iter().any(|s| {
        let said = Said::new(s.text);
        !s.question && said.has(&YES) && !said.says(&BUT)
    })
}

/// A wish for a lower price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haggle {
    /// By so much, in basis points.
    By(u32),
    /// Down to an amount, in whole units.
    To(u64),
    /// Just lower.
    Lower,
}

static HAGGLE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "discount | cheaper | lower price | reduce the price | lower the price | come down | too expensive
         too much money | better price | over our budget | above our budget | more than our budget | % off
         percent off | could you do it for | can you do it for | would you do it for | rabatt | nachlass
         günstiger | billiger | zu teuer | preis senken | am preis | besserer preis | besseren preis
         über unserem budget | skonto | prozent weniger | % weniger | für die hälfte | machen sie es für
         geht es auch für
         korting | goedkoper | lagere prijs | prijs verlagen | te duur | betere prijs | boven ons budget | meer dan ons budget | procent minder
         % minder | voor de helft | kan het ook voor | kunt u het doen voor | kun je het doen voor
         remise | rabais | réduction | moins cher | baisser le prix | prix plus bas | trop cher | meilleur prix | au-dessus de notre budget
         dépasse notre budget | pour cent de moins | % de moins | pour la moitié | pouvez-vous le faire pour | pourriez-vous le faire pour | geste commercial",
    )
});

/// Whether and how the client asks for a lower price.
pub fn haggles(message: &str) -> Option<Haggle> {
    let said = Said::new(message);
    if !said.has(&HAGGLE) {
        return None;
    }
    if let Some(points) = percent(message) {
        return Some(Haggle::By(points));
    }
    Some(super::text::amount(&said).map_or(Haggle::Lower, |(units, _)| Haggle::To(units)))
}

/// The first percentage in a text, in basis points; the upper end of a range.
pub fn percent(message: &str) -> Option<u32> {
    figures::find(message).into_iter().find_map(|figure| match figure.value {
        Value::Percent(percent) => u32::try_from(percent.high).ok().filter(|points| *points <= 10_000),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_with_a_condition_is_no_yes() {
        assert!(accepts("Great, we accept. Can you start on Monday?"));
        assert!(accepts("Einverstanden!"));
        assert!(!accepts("We accept if you give us 10% off."));
        assert!(!accepts("We cannot accept this."));
        assert!(!accepts("Do you need us to go ahead?"));
        assert!(!accepts("Wir sind nicht einverstanden."));
        assert!(accepts("Akkoord, ga uw gang.") && accepts("Parfait, nous acceptons l'offre."));
        assert!(!accepts("Wij gaan niet akkoord.") && !accepts("Nous acceptons si le prix baisse."));
    }

    #[test]
    fn only_a_plain_no_withdraws() {
        assert!(withdraws("Thank you, but we went with another agency."));
        assert!(withdraws("Das hat sich erledigt."));
        assert!(withdraws("Nee, bedankt.") && withdraws("Non merci, nous avons choisi une autre agence."));
        assert!(!withdraws("No newsletter please, just the shop."));
        assert!(!withdraws("What happens if we decide against it?"));
    }

    #[test]
    fn haggling_is_read_with_its_measure() {
        assert_eq!(haggles("Could you give us a 7,5 % discount?"), Some(Haggle::By(750)));
        assert_eq!(haggles("Could you do it for 9,000 EUR?"), Some(Haggle::To(9_000)));
        assert_eq!(haggles("Das ist uns zu teuer."), Some(Haggle::Lower));
        assert_eq!(haggles("We accept."), None);
        assert_eq!(haggles("Kunnen we 10 procent korting krijgen?"), Some(Haggle::By(1_000)));
        assert_eq!(haggles("Une remise de 5 % serait bienvenue."), Some(Haggle::By(500)));
        assert_eq!(haggles("C'est trop cher pour nous."), Some(Haggle::Lower));
    }

    #[test]
    fn whoever_asks_for_a_human_is_heard_in_four_languages() {
        for text in
            ["Are you a bot?", "Bist du ein Mensch?", "Bent u een mens of een robot?", "Êtes-vous une vraie personne ?"]
        {
            assert!(asks_for_a_human(text), "{text}");
        }
        assert!(!asks_for_a_human("We need a chat bot for our shop."));
    }
}
