//! The words by which people wish, refuse and weigh, in four languages, and a quick way to find them.

use std::sync::LazyLock;

/// Words to look for. One pass over a text finds all of them, however many there are.
pub struct Finder {
    /// By their first byte: a table is looked up sooner than a hash of two bytes is made.
    by: [Vec<(String, usize)>; 256],
}

/// Where one of the words stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub at: usize,
    pub len: usize,
    /// The number it was given.
    pub index: usize,
}

impl Finder {
    /// `words` (lower case) with a number each. A straight apostrophe stands for a curly one as well.
    pub fn new<'w>(words: impl IntoIterator<Item = (&'w str, usize)>) -> Self {
        let mut by = [const { Vec::new() }; 256];
        for (word, index) in words {
            let curly = word.contains('\'').then(|| word.replace('\'', "’"));
            for word in std::iter::once(word.to_owned()).chain(curly) {
                let first = word.bytes().next().unwrap_or_default();
                by[usize::from(first)].push((word, index));
            }
        }
        Self { by }
    }

    fn of(words: &str) -> Self {
        Self::new(words.split(['|', '\n']).map(str::trim).filter(|w| !w.is_empty()).map(|w| (w, 0)))
    }

    /// Every place where a word begins with one of the words, in order.
    pub fn hits<'f>(&'f self, lower: &'f str) -> impl Iterator<Item = Hit> + 'f {
        #[cfg(test)]
        super::super::text::work::note(lower.len());
        let mut before = ' ';
        lower.char_indices().flat_map(move |(at, c)| {
            let begins = !before.is_alphanumeric() || !c.is_alphanumeric();
            before = c;
            let rest = &lower[at..];
            let candidates: &[(String, usize)] = if begins { &self.by[usize::from(rest.as_bytes()[0])] } else { &[] };
            candidates.iter().filter(move |(word, _)| rest.starts_with(word.as_str())).map(move |(word, index)| Hit {
                at,
                len: word.len(),
                index: *index,
            })
        })
    }

    /// True when one of the words occurs.
    pub fn any(&self, lower: &str) -> bool {
        self.hits(lower).next().is_some()
    }

    /// The word with the smallest number.
    pub fn smallest(&self, lower: &str) -> Option<usize> {
        self.hits(lower).map(|hit| hit.index).min()
    }
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $words:literal;)+) => {
        $($(#[$doc])* pub static $name: LazyLock<Finder> = LazyLock::new(|| Finder::of($words));)+
    };
}

table! {
    /// Somebody says that they want something, or do not.
    WISH = "need | we want | i want | looking for | would like | we'd like | i'd like | should | must | has to | have to
        can you build | could you build | can you make | can you help | could you help | help with | could you make
        would love | nice to have | would be nice | would be great | require | we wish | important | maybe later
        optional | ideally | want to be able | be able to | we expect | please add | please include | essential
        brauch | benötig | wir suchen | ich suche | möchte | hätten gern | hätte gern | wünsch | soll | muss | müss
        wollen | schön wäre | wäre schön | wäre toll | wichtig | vielleicht später | idealerweise | könnten sie
        könnt ihr | notwendig | unverzichtbar | erforderlich
        nodig | we willen | wij willen | ik wil | we zoeken | wij zoeken | ik zoek | op zoek naar | graag | zouden we
        zou ik | moet | zou mooi zijn | zou leuk zijn | zou fijn zijn | belangrijk | misschien later | optioneel
        idealiter | kunnen jullie | kunt u | wensen | vereist | noodzakelijk | het liefst | we wensen
        besoin | nous voulons | je veux | on veut | nous cherchons | je cherche | on cherche | nous souhait | je souhait
        on souhait | nous aimerions | j'aimerais | on aimerait | voudrions | voudrais | devrai | doit | doivent
        il faut | il faudrait | serait bien | serait utile | serait appréci | serait un plus | souhaitable | idéalement
        important | indispensable | facultatif | peut-être plus tard | pouvez-vous | pourriez-vous | nécessaire
        à la recherche d";

    /// It is not wanted.
    WONT = "do not need | don't need | does not need | doesn't need | not needed | no need for | not necessary
        not required | out of scope | do not want | don't want | can do without | need no
        nicht nötig | nicht notwendig | brauchen kein | brauche kein | benötigen kein | brauchen wir nicht | wollen kein
        brauchen nicht | möchten kein | nicht gebraucht | nicht erforderlich | nicht gewünscht | verzichten
        niet nodig | hoeft niet | hoeven niet | hoeven geen | hebben geen | heb geen | willen geen | wil geen | niet gewenst
        zoeken geen | hoeft er niet
        pas besoin | ne voulons pas | ne veux pas | ne souhaitons pas | ne souhaite pas | pas nécessaire | aucun besoin
        inutile | pas utile | pas souhait";

    /// It would be welcome and can wait.
    COULD = "nice to have | would be nice | would be great | would love | maybe | perhaps | optional | later | if possible
        bonus
        schön wäre | wäre schön | wäre toll | wäre nett | vielleicht | eventuell | später | wenn möglich | gerne auch
        zou mooi zijn | zou leuk zijn | zou fijn zijn | misschien | eventueel | later | optioneel | indien mogelijk
        als het kan
        serait bien | serait un plus | serait appréci | serait utile | serait sympa | peut-être | éventuellement
        plus tard | facultatif | en option | si possible";

    /// The project fails without it, and the client says so.
    STRESS = "must | has to | have to | required | important | essential | absolutely | crucial | vital | above all
        cannot do without | critical | indispensable | mandatory
        muss | müss | unbedingt | wichtig | zwingend | unverzichtbar | erforderlich | entscheidend | vor allem
        moet | belangrijk | essentieel | noodzakelijk | absoluut | vereist | cruciaal | onmisbaar | vooral
        doit | doivent | devra | indispensable | obligatoire | essentiel | impérati | il faut | crucia | primordial
        absolument | nécessairement";

    /// It is wanted, without more.
    SHOULD = "should | ideally | would like | we'd like | i'd like
        soll | idealerweise | hätten gern | hätte gern
        zouden we | zou ik | zou het | idealiter | het liefst | graag
        devrai | idéalement | aimerions | aimerais | aimerait | il faudrait | souhaitable";

    /// A sentence about money, time or the talk itself.
    MONEY = "budget | spend | cost | price | an offer | your offer | a quote | your quote | quote for | estimate
        angebot | preis | kosten | ausgeben
        begroting | offerte | prijs | kost | besteden | uitgeven
        devis | prix | coût | coûte | dépenser | tarif";
    /// A sentence about when.
    TIME = "deadline | need it by | need this by | launch | go live | bis ende | bis zum | fertig sein
        klaar zijn | live gaan | uiterlijk | tegen het einde | voor het einde | mise en ligne | d'ici | au plus tard | échéance";
    /// A sentence about the talk itself.
    TALK = "call us | call me | meeting | let me know | more information | your help | hear from you | your answer
        termin mit ihnen | anrufen | mehr informationen | ihre hilfe | von ihnen zu hören | rückmeldung
        bel mij | bel ons | terugbellen | meer informatie | uw hulp | van u te horen | afspraak met u
        appelez | rappel | plus d'informations | votre aide | votre réponse | rendez-vous avec vous | de vos nouvelles";

    /// `We do not need`, to be taken off the front.
    NOT = "we do not need | we don't need | i do not need | i don't need | we need no | we do not want | we don't want
        there is no need for | no need for
        wir brauchen kein | ich brauche kein | wir benötigen kein | wir möchten kein | wir wollen kein
        we hebben geen | wij hebben geen | ik heb geen | we willen geen | wij willen geen | we hoeven geen | wij hoeven geen
        nous n'avons pas besoin de | nous n'avons pas besoin d' | je n'ai pas besoin de | je n'ai pas besoin d'
        on n'a pas besoin de | on n'a pas besoin d' | nous ne voulons pas de | nous ne voulons pas d' | pas besoin de
        pas besoin d' | nous ne souhaitons pas de | nous ne souhaitons pas d'";

    /// `We need`, to be taken off the front.
    WANT = "need | can you help us with | can you help me with | could you help us with | could you help me with | we need
        looking for somebody for | looking for someone for | i need | we want | i want | we are looking for
        i am looking for | we're looking for | i'm looking for | looking for | we would like to have | we would like
        i would like to have | i would like | we'd like | i'd like | we also need | we require | can you build us
        can you build | could you build us | could you build | can you make us | can you make | nice to have would be
        and need | and want | and are looking for | nice to have | it would be nice to have | would be nice to have
        ich suche jemanden für | wir suchen jemanden für | und brauchen | und suchen | und möchten | und wollen
        wir brauchen auch | wir brauchen | ich brauche | wir suchen | ich suche | wir benötigen | ich benötige
        wir möchten | ich möchte | wir wollen | wir wünschen uns | wir hätten gerne | wir hätten gern | ich hätte gerne
        ich hätte gern | schön wäre auch | schön wäre
        we hebben nodig | we willen graag | wij willen graag | we willen | wij willen | ik wil graag | ik wil | we zoeken
        wij zoeken | ik zoek | op zoek naar | wij zijn op zoek naar | we zijn op zoek naar | en willen | en zoeken
        we zouden graag | wij zouden graag | ik zou graag
        nous avons besoin de | nous avons besoin d' | nous avons aussi besoin de | nous avons aussi besoin d'
        j'ai besoin de | j'ai besoin d' | on a besoin de | on a besoin d' | nous voulons | je veux | on veut
        nous cherchons | je cherche | on cherche | nous souhaitons | je souhaite | nous aimerions | j'aimerais
        nous voudrions | je voudrais | il nous faut | il faut | et cherchons | et souhaitons | à la recherche de
        à la recherche d'";
}

/// `No shop`: how a part begins that is not wanted.
pub const NEGATED: &[&str] = &[
    "no ", "not ", "without ", "kein ", "keine ", "keinen ", "nicht ", "ohne ", "geen ", "niet ", "zonder ", "pas de ",
    "pas d'", "pas d’", "aucun ", "aucune ", "sans ", "non ",
];

/// Articles, negations and joining words at the front of a part.
pub const FRONT: &[&str] = &[
    "have ", "has ", "a ", "an ", "the ", "no ", "not ", "without ", "also ", "some ", "and ", "eine ", "einen ",
    "ein ", "einem ", "die ", "der ", "das ", "keine ", "keinen ", "kein ", "nicht ", "ohne ", "auch ", "und ", "een ",
    "het ", "de ", "geen ", "niet ", "zonder ", "ook ", "en ", "un ", "une ", "le ", "la ", "les ", "des ", "du ",
    "d'", "d’", "l'", "l’", "pas de ", "pas d'", "pas d’", "aucun ", "aucune ", "sans ", "aussi ", "et ",
];

/// Where one sentence goes on to another thing.
pub const JOINTS: &[&str] = &[
    ", ",
    " and ",
    " with ",
    " plus ",
    " including ",
    " but ",
    " und ",
    " mit ",
    " sowie ",
    " inklusive ",
    " aber ",
    " en ",
    " met ",
    " inclusief ",
    " maar ",
    " et ",
    " avec ",
    " ainsi que ",
    " mais ",
];

/// How much it matters, said at the end of a part: it stands in the priority.
pub const WEIGHT: &[&str] = &[
    " would be nice to have",
    " would be nice",
    " would be great",
    " is a must",
    " is important",
    " is optional",
    " is essential",
    " wäre schön",
    " wäre toll",
    " ist wichtig",
    " ist ein muss",
    " ist unbedingt nötig",
    " zou mooi zijn",
    " zou leuk zijn",
    " zou fijn zijn",
    " is belangrijk",
    " is een must",
    " niet nodig",
    " nodig",
    " is niet nodig",
    " serait bien",
    " serait un plus",
    " est indispensable",
    " est important",
    " est obligatoire",
    " serait apprécié",
    " serait appréciée",
    " n'est pas nécessaire",
    " n’est pas nécessaire",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_finds_what_begins_a_word() {
        let finder = Finder::new([("gallery", 1), ("gall", 2), ("€", 3), ("l'app", 4)]);
        let of = |text: &str| finder.hits(text).map(|h| h.index).collect::<Vec<_>>();
        assert_eq!(of("a gallery, 5€ and l’app"), [1, 2, 3, 4]);
        assert_eq!(of("agallery"), Vec::<usize>::new());
    }
}
