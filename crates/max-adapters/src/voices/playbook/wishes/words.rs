//! The words by which people refuse and weigh, in four languages. Those by which they wish stand in
//! `max_core::prose::wishes`, where the check of a scope (SC-9) reads them too.

use std::sync::LazyLock;

pub use max_core::prose::wishes::Finder;

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $words:literal;)+) => {
        $($(#[$doc])* pub static $name: LazyLock<Finder> = LazyLock::new(|| Finder::table($words));)+
    };
}

table! {
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
