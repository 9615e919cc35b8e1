// What guess-encoding.ts knows of languages: which characters beyond ASCII their texts are made of, most frequent first.
// Only the order counts, roughly; a letter that is not listed is what gives a wrong guess away.

export type LegacyEncoding =
  | "windows-1250"
  | "windows-1251"
  | "windows-1252"
  | "windows-1253"
  | "windows-1254"
  | "windows-1255"
  | "windows-1256"
  | "windows-1257"
  | "windows-1258"
  | "windows-874"
  | "iso-8859-2"
  | "iso-8859-5"
  | "koi8-u"
  | "ibm866"
  | "gb18030"
  | "big5"
  | "shift_jis"
  | "euc-jp"
  | "euc-kr";

export interface LanguageProfile {
  /** BCP 47 languages that this stands for. */
  readonly languages: readonly string[];
  /** Of equal evidence the earlier wins. */
  readonly encodings: readonly LegacyEncoding[];
  /** Lower case (or caseless) characters, most frequent first; capitals follow from them. */
  readonly letters: string;
  /** Seldom met: it takes more than a letter or two to believe in it. */
  readonly isRare?: true;
}

const CYRILLIC: readonly LegacyEncoding[] = ["windows-1251", "koi8-u", "ibm866", "iso-8859-5"];
const CENTRAL: readonly LegacyEncoding[] = ["windows-1250", "iso-8859-2"];

export const LANGUAGE_PROFILES: readonly LanguageProfile[] = [
  { languages: ["fr"], encodings: ["windows-1252"], letters: "éèàçêùôâîûœïë" },
  { languages: ["de"], encodings: ["windows-1252"], letters: "üäößé" },
  { languages: ["es", "ca", "gl"], encodings: ["windows-1252"], letters: "óáíéñú¿¡üàèò" },
  { languages: ["pt"], encodings: ["windows-1252"], letters: "ãáéçêíóõúàâô" },
  { languages: ["it"], encodings: ["windows-1252"], letters: "èàùòìé" },
  { languages: ["sv", "fi"], encodings: ["windows-1252"], letters: "äåöé" },
  { languages: ["da", "nb", "no", "nn"], encodings: ["windows-1252"], letters: "åøæéòôê" },
  { languages: ["nl", "en"], encodings: ["windows-1252"], letters: "ëéïèöüñç" },
  { languages: ["is"], encodings: ["windows-1252"], letters: "áðíþéöúóæý", isRare: true },
  { languages: ["pl"], encodings: CENTRAL, letters: "łęążśćóńź" },
  { languages: ["cs", "sk"], encodings: CENTRAL, letters: "áíéěřčžýšůúťňďóľĺŕôä" },
  { languages: ["hu"], encodings: CENTRAL, letters: "áéőöóíüúű" },
  { languages: ["hr", "sr", "bs", "sl"], encodings: CENTRAL, letters: "šžčćđ" },
  { languages: ["ro"], encodings: CENTRAL, letters: "ăţîşâ" },
  { languages: ["tr", "az"], encodings: ["windows-1254"], letters: "ışğüçöâîû" },
  { languages: ["lt"], encodings: ["windows-1257"], letters: "ėšųžįūąčę", isRare: true },
  { languages: ["lv"], encodings: ["windows-1257"], letters: "āīēšūņļķģčž", isRare: true },
  { languages: ["et"], encodings: ["windows-1257"], letters: "äõüöšž", isRare: true },
  {
    languages: ["vi"],
    isRare: true,
    encodings: ["windows-1258"],
    letters: "đôưêơăâàáèéìíòóùúýãõ\u0300\u0301\u0303\u0309\u0323",
  },
  { languages: ["ru"], encodings: CYRILLIC, letters: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ" },
  { languages: ["uk"], encodings: CYRILLIC, letters: "оаинвіетрсклдпумязьбгчйхжшїюцєщфґ" },
  { languages: ["bg", "mk"], encodings: ["windows-1251"], letters: "аеоитнрсвлкдпмзяъбугчщжйшхцюфьѓќљњјџѕ" },
  { languages: ["sr"], encodings: ["windows-1251"], letters: "аоеинрјствукдмлпзбгчшжхцћђљњџф" },
  {
    languages: ["el"],
    // ISO 8859-7 differs in one letter that counts, and is met so seldom that it would be guessed wrongly more often.
    encodings: ["windows-1253"],
    letters: "αοιετνσηρπκμυλςάίόγέήδωθχύφβώξζψϊϋΐ",
  },
  { languages: ["he"], encodings: ["windows-1255"], letters: "יהולאתרמבשנקדםעחפצגטכסזןךףץ" },
  {
    languages: ["ar", "fa", "ur"],
    encodings: ["windows-1256"],
    letters: "الينمرتهودبعكسفقحجأخشطىضصزئءذإثةغآؤظ،؟؛پچژگ\u064b\u064e\u064f\u0650\u0651\u0652",
  },
  {
    languages: ["th"],
    encodings: ["windows-874"],
    letters: "านร่อกเงมยลวด้ทสตะปบคัหแจพชขใไำโผีิุูึืถ์ซณฉธภฟศ็ษฐญฝ๋๊ฆๆฎฏฬฤฮฌฒ",
  },
];

/** Characters of no language in particular that subtitles in windows-125x are full of. */
export const TYPOGRAPHY = "…–—“”‘’„«»•·\u00a0№©®°´€‹›";

export interface EastAsianProfile {
  readonly languages: readonly string[];
  readonly encoding: LegacyEncoding;
  /** First and last lead byte of the block that holds what is in daily use. */
  readonly commonLeads: readonly [number, number];
  readonly hasKana: boolean;
  readonly isHangul: boolean;
  /** The most frequent characters: they tell Chinese from Japanese, and simplified from traditional. */
  readonly frequent: string;
}

const JAPANESE = {
  languages: ["ja"],
  hasKana: true,
  isHangul: false,
  frequent: "人日一大私何今事行言見時分来方本気出前",
};

export const EAST_ASIAN_PROFILES: readonly EastAsianProfile[] = [
  {
    languages: ["zh"],
    encoding: "gb18030",
    commonLeads: [0xb0, 0xd7],
    hasKana: false,
    isHangul: false,
    frequent:
      "的一是不了我在人有他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运吗谁谢请吧啊",
  },
  {
    languages: ["zh"],
    encoding: "big5",
    commonLeads: [0xa4, 0xc6],
    hasKana: false,
    isHangul: false,
    frequent:
      "的一是不了我在人有他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運嗎誰謝請吧啊",
  },
  { ...JAPANESE, encoding: "shift_jis", commonLeads: [0x88, 0x98] },
  { ...JAPANESE, encoding: "euc-jp", commonLeads: [0xb0, 0xcf] },
  {
    languages: ["ko"],
    encoding: "euc-kr",
    commonLeads: [0xb0, 0xc8],
    hasKana: false,
    isHangul: true,
    frequent: "",
  },
];
