//! The words by which a user speaks to a model, in the languages that most messages are written in. Short paragraphs at
//! the edges of a message are taken for the user's words without any list; these tell long ones and those in the middle.

use super::{List, Phrases};

/// Whether the sentence (in lower case) wishes or tells the reader what is expected of him.
pub(crate) fn wish(lower: &str) -> bool {
    says(lower, &WISHES) || says(lower, &PERSONAS)
}

/// Whether the text (in lower case) begins by telling the model who it is or what it is there for.
pub(crate) fn persona(lower: &str) -> bool {
    PERSONAS.iter().any(|persona| lower.trim_start_matches(|c: char| !c.is_alphabetic()).starts_with(persona))
}

/// Whether the sentence (in lower case) speaks of the message that it stands in, or of the answer to it.
pub(crate) fn refers(lower: &str) -> bool {
    // `the answers`, not `the answering machine`.
    let ends = |rest: &str| !rest.strip_prefix('s').unwrap_or(rest).starts_with(|c: char| c.is_ascii_alphabetic());
    let whole = |at: usize, phrase: &str| lower.get(at + phrase.len()..).is_some_and(ends) || !phrase.is_ascii();
    REFERENCES.any(lower, |at, phrase| begins_word(lower, at, phrase) && whole(at, phrase)) || points(lower)
}

/// `the file above`, `the above script`.
fn points(lower: &str) -> bool {
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let place = |word: &str| matches!(word, "above" | "below");
    let named = |word: &str| DOCUMENTARY.has(word) || POINTED_AT.has(word);
    words
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if place(one) && named(other) || named(one) && place(other)))
}

/// What a user points at, beside documents.
static POINTED_AT: List =
    List::new("script program function class module table list config configuration command output example message");

/// Whether one of these phrases stands in a sentence and begins at a word's beginning.
pub(super) fn says(lower: &str, phrases: &Phrases) -> bool {
    phrases.any(lower, |at, phrase| begins_word(lower, at, phrase))
}

fn begins_word(lower: &str, at: usize, phrase: &str) -> bool {
    let joined = || lower.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphabetic);
    !phrase.is_ascii() || !joined()
}

/// Whether a sentence in a script without word lists asks for something.
pub(crate) fn asks_by_ending(sentence: &str) -> bool {
    ENDINGS.any(sentence, |_, _| true)
}

/// Imperatives: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Arabic.
pub(crate) static REQUESTS: List = List::new(
    "
    abbreviate accept act adapt add adjust advise allow analyse analyze annotate answer apply argue arrange ask assess assign assume attach avoid
    be begin bring build bullet calculate check choose cite clarify classify clean combine comment compare
    complete compose compress compute conclude condense confirm consider construct continue convert correct count create critique 
    debug decide decline define delete derive describe detect determine develop discuss display do don't draft draw
    edit elaborate emphasise emphasize end ensure estimate evaluate examine exclude expand explain extract fill filter find finish fix focus follow format
    generate give go guess handle help highlight identify ignore imagine implement improve include indicate infer insert inspect integrate interpret
    invent justify keep leave let let's list look make mention merge modify move name never note 
    obey omit optimise optimize organise organize outline output paraphrase parse perform pick polish prefer prepare present preserve pretend print prioritise prioritize produce
    proofread propose provide put quote read recommend refactor refer reformat refuse remember remove rename reorder repeat rephrase replace reply 
    resolve respond restate return revise rewrite save say search select separate shorten show simplify sketch skip solve specify speak
    split start stay stick stop structure suggest summarise summarize take tell think transcribe transform translate treat try 
    understand update use using verify wait weigh wrap write
    analysiere antworte beantworte beantworten benenne benutze berechne beschränke beschreibe beurteile bewerte erkläre erläutere ersetze erstelle erwähne erzähle
    fass fasse finde formuliere füge gib halte kürze korrigiere lass lasse liste lies mach mache markiere nenne nimm ordne prüfe sag sage schreib schreibe suche
    übersetz übersetze untersuche vergleiche vermeide verwende verfasse wähle zähle zeige zitiere fassen
    ajoute analyse cite classe commence compare compte corrige crée donne décris écris évite explique extrais fais garde identifie indique limite
    liste mets nomme note précise prends propose rédige relis remplace rends reprends reste résume réponds supprime traduis trouve utilise vérifie
    actúa analiza añade busca calcula cambia clasifica compara comienza contesta corrige crea cita cuenta dame describe devuelve dime elabora elige elimina empieza encuentra enumera escribe evita
    explica explique extrae genera haz identifica incluye indica lee limita lista mantén menciona muestra ordena pon redacta responde resume reescribe revisa señala tradúcelo traduce usa utiliza
    adicione analise apresente cite classifique compare comece conte corrija crie descreva diga elabore encontre enumere escreva evite extraia faça forneça gere identifique inclua indique leia liste
    mantenha mencione mostre ordene redija reescreva responda resuma revise traduza use utilize verifique
    aggiungi analizza calcola cerca cita classifica comincia confronta conta correggi crea dammi descrivi dimmi elenca estrai evita fai indica inizia leggi limita mantieni menziona mostra
    ordina prepara riassumi rispondi riscrivi scegli scrivi spiega suddividi traduci trova usa utilizza verifica
    antwoord beantwoord beschrijf geef gebruik laat leg maak noem schrijf vat vergelijk vermijd vertaal zoek
    dodaj odpowiedz podaj podsumuj popraw porównaj przetłumacz przygotuj sprawdź stwórz streść użyj wskaż wybierz wymień wyjaśnij wypisz zachowaj znajdź napisz opisz
    ответь переведи напиши опиши объясни перечисли назови сделай найди сравни исправь используй укажи кратко составь выдели приведи перескажи изложи
    اكتب لخص لخّص ترجم أجب اذكر اشرح قارن استخرج صحح أعد حلل استخدم ضع قدم
    लिखें बताएं अनुवाद सारांश",
);

/// Words that ask politely, wherever they stand.
pub(crate) static POLITE: List =
    List::new("please kindly pls plz bitte svp proszę prosze пожалуйста alstublieft alsjeblieft lütfen прошу просьба");

/// What a request may begin with before its verb.
pub(crate) static OPENERS: List = List::new(
    "
    now then first firstly second secondly third next finally also and so but afterwards always again ok okay hi hello hey dear just only lastly instead therefore thus carefully briefly
    simply otherwise please kindly nun jetzt dann zuerst danach bitte und maintenant ensuite puis d'abord enfin ahora luego después primero por finalmente agora depois primeiro ora poi prima infine
    teraz potem najpierw теперь затем сначала потом",
);

/// What a question may begin with.
pub(crate) static INTERROGATIVES: List = List::new(
    "
    who who's whom whose what what's when where where's which why how is are was were do does did can could should would will has have had am may
    wer was wann wo warum wie welche welcher welches wieso qui que quoi quand où pourquoi comment quel quelle quels quelles combien est-ce qué quién cuándo dónde cuál cuáles cuántos cuántas cómo
    quem quando onde qual quais quantos como chi cosa quanto quanti dove perché quale wie wat wanneer waar waarom kto kiedy gdzie dlaczego jak jaki ile czy
    кто что когда где почему как какой какая какие сколько",
);

/// What the object of an English imperative may begin with.
pub(crate) static OBJECTS: List = List::new(
    "
    the a an this these those each every all any my our your it them me us no two three four five one nothing everything both exactly only at",
);

/// English prepositions, conjunctions, adverbs of place and the like.
pub(crate) static RELATIONS: List = List::new(
    "
    aboard about above across after against ago along alongside although amid among around as aside at because before behind below beneath beside besides between beyond both but by
    concerning despite down during either else even except few following for from half if in inside into just last like many most much near nearly neither next nor not of off on once one only
    onto opposite or out outside over part past per plus quite rather regarding round save since some still such than that though through throughout till to toward towards twice two under underneath
    unlike until up upon via what when whenever where whereas wherever whether which while who whose with within without worth yet all almost both here there now then",
);

/// Words of the first person.
pub(crate) static FIRST_PERSON: List = List::new(
    "i i'm i've i'd i'll my mine me we our us we're we've ich wir mein meine mir mich unser je j'ai nous mon mes notre yo mi nosotros nuestro eu meu minha nós io mio mia noi
    nostro ik mijn wij ja mój moja я мы мой моя наш",
);

/// Those of them that several share.
pub(crate) static FIRST_PERSONS: List =
    List::new("our us we we're we've wir unser nous notre nosotros nuestro nós noi nostro wij мы наш");

/// Whether a text in lower case speaks of who says it.
pub(crate) fn is_own(lower: &str) -> bool {
    lower.split(|c: char| !(c.is_alphanumeric() || c == '\'')).any(|word| FIRST_PERSON.has(word))
}

#[rustfmt::skip]
static PERSONAS: Phrases = Phrases::new(&[
    "you are a ", "you are an ", "you are the ", "you are given", "you're a ", "you're an ", "your task", "your job", "your role", "your goal",
    "du bist", "sie sind ein", "deine aufgabe", "ihre aufgabe", "tu es un", "vous êtes un", "eres un", "tu tarea", "você é um", "sua tarefa",
    "sei un", "il tuo compito", "jesteś ", "ты — ", "вы — ",
]);

#[rustfmt::skip]
static WISHES: Phrases = Phrases::new(&[
    "i was wondering", "i wonder whether", "i wonder if", "i'd love", "i would love", "i'd appreciate", "i would appreciate", "be grateful",
    "would be great", "i want", "i need", "i would like", "i'd like", "i would prefer", "i wish", "i expect", "i am looking", "i'm looking",
    "we want", "we need", "we would like", "we'd like", "can you", "could you", "would you", "will you", "help me", "let me know",
    "you will be", "you will receive", "you have access", "you must", "you should", "you may ", "you can ", "you have to",
    "your answer", "your response", "your reply", "your output", "feel free", "make sure", "be sure", "ich möchte", "ich brauche",
    "ich hätte gern", "ich will", "kannst du", "können sie", "könntest du",
    "je veux", "je voudrais", "j'aimerais", "j'ai besoin", "peux-tu", "pouvez-vous", "pourriez-vous",
    "s'il vous plaît", "s'il te plaît", "quiero", "necesito", "me gustaría", "quisiera", "puedes", "podrías",
    "por favor", "merci de ", "gostaria", "preciso de", "quero ", "você pode", "vorrei", "ho bisogno", "puoi ",
    "potresti", "per favore", "ik wil graag", "kun je", "kunt u", "chciałbym", "chciałabym", "potrzebuję",
    "czy możesz", "мне нужно", "я хочу", "хотел бы", "хотела бы", "можешь ли", " sie den ", " sie die ",
    " sie das ", " sie nur ", " sie bitte ", " sie keine ", " sie nicht ",
]);

#[rustfmt::skip]
static REFERENCES: Phrases = Phrases::new(&[
    "the above", "paragraph above", "described above", "given above", "described below", "given below", "the one below", "is below",
    "are below", "see below",
    "following text", "following document", "following article", "following context", "following passage", "following code",
    "following pieces", "following question", "following json", "following format", "following email", "following conversation",
    "following transcript", "following information", "here is the", "here are the", "here is a", "here are some", "here's the", "here's my",
    "here is my", "this is the context", "these documents", "these passages", "these notes", "these sources", "the provided", "the context",
    "the answer", "an answer", "your answer", "my question", "the question", "in your", "the response", "as json", "in json", "valid json",
    "in markdown", "your reply", "your response", "final answer", "letzten absatz", "obigen text", "folgenden text", "der folgende text",
    "texte suivant", "texte ci-dessus", "ci-dessous", "ci-dessus", "texto anterior", "siguiente texto", "texto siguiente", "texto acima",
    "texto a seguir", "seguente testo", "testo seguente", "testo sopra", "poniższy", "powyższy", "następujący tekst", "следующий текст",
    "текст выше", "приведённый", "приведенный", "上文", "以下文本", "以下内容", "下面的", "上面的", "次の文章", "上の文章", "以下の文章", "다음", "위의", "निम्नलिखित",
    "उपरोक्त", "التالي", "أعلاه",
]);

/// Words that point at what stands beside them: `Summarise this`.
pub(crate) static DEMONSTRATIVES: List = List::new(
    "
    this these it attached enclosed below following dies dieser diese dieses diesen diesem folgende folgenden beigefügte
    ce cet cette ces suivant suivante este esta esto estos estas siguiente isto seguinte questo questa questi queste seguente
    dit deze bijgaande następujący этот эту это эти следующий",
);

/// Parts of a request in scripts whose words the lists above can't be compared with.
#[rustfmt::skip]
static ENDINGS: Phrases = Phrases::new(&[
    "请", "請", "不要", "务必", "总结", "概括", "翻译", "译成", "写一", "列出", "回答", "解释", "用中文", "ください", "下さい", "なさい", "してはいけません", "しないで", "お願いし", "要約し",
    "翻訳し", "答えて", "まとめて", "書いて", "세요", "십시오", "시오", "해줘", "해 줘", "주십", "하지 마", "요약해", "번역해", "कीजिए", "करें", "दीजिए", "लिखिए", "लिखें",
    "बताइए", "बताएं", "न करें", "कृपया", "الرجاء", "يرجى", "من فضلك", "لا تذكر", "لا تكتب", "اكتب", "لخص", "ترجم", "أجب",
]);

/// Words in the names of tags, headings and labels that hold what is addressed to the model.
pub(crate) static INSTRUCTIVE: List = List::new(
    "
    ask asks answer_format command constraint constraints criteria criterion do environment example examples expected format formatting goal goals guidance guideline guidelines hint important info instruction instructions
    memory note notice objective objectives order orders output persona preferences prompt query question questions reminder request requirement requirements response role rubric rule rules scale scoring
    settings step steps style system task tasks thinking tone todo tool tools warning claude agents usage workflow answer thought aufgabe frage fragen anweisung anweisungen regeln hinweis beispiel beispiele ausgabe
    tâche question consigne consignes règles exemple exemples tarea pregunta instrucciones reglas ejemplo ejemplos tarefa pergunta instruções regras exemplo exemplos compito domanda istruzioni regole esempio esempi zadanie pytanie instrukcje zasady przykład
    задача задание вопрос инструкция правила пример примеры opdracht vraag",
);

/// Words in the names of tags, headings and labels that hold material.
pub(crate) static DOCUMENTARY: List = List::new(
    "
    abstract appendix article articles attachment attachments book chapter chunk chunks code content contents context contexts contract conversation corpus csv data dataset diff doc docs document documents email emails excerpt
    excerpts file files history html input inputs interview json knowledge letter log logs mail material materials minutes notes page pages paper passage passages record records report reports result results snippet snippets source sources
    story text texts thread transcript web website kontext dokument dokumente texte contexte contexto documento documentos texto testo contesto tekst kontekst текст контекст документ",
);

/// Labels of an answer that an example shows, or of what it is an answer to.
pub(crate) static EXAMPLES: List = List::new(
    "
    a answer answers assistant ai bot category class classification completion corrected correction example expected human input in intent label output out prompt q question reply response result review sentence sentiment
    source sql summary tags target translation tweet user message text english french german spanish",
);

/// Tags that are markup of a page.
pub(crate) static MARKUP: List = List::new(
    "html head body div span p a ul ol li table thead tbody tr td th h1 h2 h3 h4 h5 h6 script style svg nav footer br hr img meta link button form select option iframe v c",
);

/// Tags of HTML that templates of prompts use as well.
pub(crate) static SECTIONING: List =
    List::new("article section main header aside blockquote figure details summary dl pre fieldset");

/// Whether a part begins as a letter to somebody does, `Dear Ms Farrugia,`; whoever writes to a model names it.
pub(crate) fn opens_letter(part: &str) -> bool {
    let line = part.trim_start().lines().next().unwrap_or_default().trim_end();
    let lower = line.to_lowercase();
    let greets = GREETINGS.iter().any(|greeting| lower.starts_with(greeting));
    let to_model = lower.split(|c: char| !c.is_alphanumeric()).any(|word| MODELS.has(word));
    greets && !to_model && line.len() <= LONGEST_GREETING && line.ends_with([',', ':', '!'])
}

/// Whether a part begins as a note to people whom its writer knows does, `Hi neighbours, I promised`: they are called by a
/// name.
pub(crate) fn greets_somebody(part: &str) -> bool {
    let line = part.trim_start().lines().next().unwrap_or_default();
    let Some((greeting, _)) =
        line.split_once([',', '!']).filter(|(greeting, _)| greeting.len() <= LONGEST_GREETING / 2)
    else {
        return false;
    };
    let lower = greeting.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let [first, named @ ..] = words.as_slice() else { return false };
    let to_model = named.iter().any(|word| MODELS.has(word) || DESKS.has(word));
    (1..=4).contains(&named.len()) && !to_model && HELLOS.has(first)
}

/// Whom a mail is written to that a model may answer.
static DESKS: List = List::new("there agent care desk help helpdesk service support team");

static HELLOS: List = List::new("hi hello hey hallo hej moin servus bonjour salut hola ciao olá cześć привет hoi ahoj");

/// Whether a part is the end of such a note: a few words, and a name below them.
pub(crate) fn signs_off(part: &str) -> bool {
    let mut lines = part.trim().lines();
    let (Some(leave), Some(name), None) = (lines.next(), lines.next(), lines.next()) else { return false };
    let (leave, name) = (leave.trim(), name.trim());
    let words = |line: &str| line.split_whitespace().count();
    let plain = !leave.ends_with(['.', '?', ':', ';']) && !name.ends_with(['.', '?', '!', ':', ',', ';']);
    plain
        && words(leave) <= 6
        && (leave.ends_with([',', '!']) || words(leave) <= 2)
        && words(name) <= 5
        && name.starts_with(char::is_uppercase)
}

/// Whether a part begins as the end of a letter does: `With kind regards`.
pub(crate) fn closes_letter(part: &str) -> bool {
    let line = part.trim_start().lines().next().unwrap_or_default().trim_end();
    let lower = line.to_lowercase();
    line.len() <= LONGEST_GREETING && VALEDICTIONS.iter().any(|words| lower.starts_with(words))
}

/// Bytes of the line that greets, or takes leave.
const LONGEST_GREETING: usize = 80;

#[rustfmt::skip]
const GREETINGS: &[&str] = &[
    "dear ", "sehr geehrte", "liebe ", "lieber ", "cher ", "chère ", "chers ", "estimad", "querid", "caro ", "cara ", "gentile ",
    "egregi", "prezad", "szanown", "drogi ", "droga ", "уважаем", "дорог", "geachte ", "beste ",
];

#[rustfmt::skip]
const VALEDICTIONS: &[&str] = &[
    "kind regards", "with kind regards", "best regards", "warm regards", "regards,", "yours ", "sincerely", "best wishes",
    "with best wishes", "mit freundlichen grüßen", "freundliche grüße", "viele grüße", "herzliche grüße", "beste grüße",
    "cordialement", "bien à vous", "salutations", "veuillez agréer", "un saludo", "saludos", "atentamente", "cordiali saluti",
    "distinti saluti", "atenciosamente", "z poważaniem", "pozdrawiam", "с уважением", "met vriendelijke groet",
];

/// What people call a model that they write to.
static MODELS: List =
    List::new("chatgpt gpt claude gemini copilot assistant assistent ai ki ia llm model bot llama mistral");

/// Headers of a mail.
pub(crate) static MAIL_HEADERS: List = List::new(
    "from to cc bcc sent date subject von an gesendet betreff datum de à objet para asunto fecha enviado assunto
    data da a oggetto от кому тема reply-to envoyé дата отправлено 发件人 收件人 主题 日期 inviato",
);
