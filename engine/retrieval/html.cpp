// HTML to blocks: what a reader sees of a page, without a browser's care for broken markup.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/utf8.h"
#include "engine/retrieval/document.h"

namespace hearth::retrieval {
namespace {

enum class Effect : std::uint8_t {
  none,
  end_block,
  end_section,  // with its end the headings inside it end, too
  heading,
  code,
  row,
  cell,
  skip,
};

struct TagRow {
  std::string_view name;
  Effect effect;
  int level = 0;
};
constexpr TagRow kTags[] = {
    {"h1", Effect::heading, 1},
    {"h2", Effect::heading, 2},
    {"h3", Effect::heading, 3},
    {"h4", Effect::heading, 4},
    {"h5", Effect::heading, 5},
    {"h6", Effect::heading, 6},
    {"summary", Effect::heading, 6},
    {"dt", Effect::heading, 6},
    {"p", Effect::end_block},
    {"div", Effect::end_block},
    {"li", Effect::end_block},
    {"ul", Effect::end_block},
    {"ol", Effect::end_block},
    {"dd", Effect::end_block},
    {"dl", Effect::end_section, 6},
    {"br", Effect::end_block},
    {"hr", Effect::end_block},
    {"section", Effect::end_block},
    {"article", Effect::end_block},
    {"aside", Effect::end_block},
    {"figure", Effect::end_block},
    {"figcaption", Effect::end_block},
    {"caption", Effect::end_block},
    {"address", Effect::end_block},
    {"center", Effect::end_block},
    {"form", Effect::end_block},
    {"fieldset", Effect::end_block},
    {"legend", Effect::end_block},
    {"option", Effect::end_block},
    {"head", Effect::end_block},
    {"body", Effect::end_block},
    {"pre", Effect::code},
    {"blockquote", Effect::end_block},
    {"details", Effect::end_section, 6},
    {"header", Effect::end_block},
    {"footer", Effect::end_block},
    {"main", Effect::end_block},
    {"table", Effect::end_block},
    {"tr", Effect::row},
    {"td", Effect::cell},
    {"th", Effect::cell},
    {"script", Effect::skip},
    {"style", Effect::skip},
    {"noscript", Effect::skip},
    {"template", Effect::skip},
    {"title", Effect::heading, 1},  // until a heading of the page takes its place
    {"svg", Effect::skip},
    {"nav", Effect::skip},
};

// The names of HTML 4 (https://www.w3.org/TR/html4/sgml/entities.html). Of U+00A0 to U+00FF, in
// order:
constexpr std::string_view kLatin1[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

struct Entity {
  std::string_view name;
  char32_t code;
};
constexpr Entity kEntities[] = {
    {"quot", 0x22},      {"amp", 0x26},      {"apos", 0x27},      {"lt", 0x3C},
    {"gt", 0x3E},        {"OElig", 0x152},   {"oelig", 0x153},    {"Scaron", 0x160},
    {"scaron", 0x161},   {"Yuml", 0x178},    {"fnof", 0x192},     {"circ", 0x2C6},
    {"tilde", 0x2DC},    {"Alpha", 0x391},   {"Beta", 0x392},     {"Gamma", 0x393},
    {"Delta", 0x394},    {"Epsilon", 0x395}, {"Zeta", 0x396},     {"Eta", 0x397},
    {"Theta", 0x398},    {"Iota", 0x399},    {"Kappa", 0x39A},    {"Lambda", 0x39B},
    {"Mu", 0x39C},       {"Nu", 0x39D},      {"Xi", 0x39E},       {"Omicron", 0x39F},
    {"Pi", 0x3A0},       {"Rho", 0x3A1},     {"Sigma", 0x3A3},    {"Tau", 0x3A4},
    {"Upsilon", 0x3A5},  {"Phi", 0x3A6},     {"Chi", 0x3A7},      {"Psi", 0x3A8},
    {"Omega", 0x3A9},    {"alpha", 0x3B1},   {"beta", 0x3B2},     {"gamma", 0x3B3},
    {"delta", 0x3B4},    {"epsilon", 0x3B5}, {"zeta", 0x3B6},     {"eta", 0x3B7},
    {"theta", 0x3B8},    {"iota", 0x3B9},    {"kappa", 0x3BA},    {"lambda", 0x3BB},
    {"mu", 0x3BC},       {"nu", 0x3BD},      {"xi", 0x3BE},       {"omicron", 0x3BF},
    {"pi", 0x3C0},       {"rho", 0x3C1},     {"sigmaf", 0x3C2},   {"sigma", 0x3C3},
    {"tau", 0x3C4},      {"upsilon", 0x3C5}, {"phi", 0x3C6},      {"chi", 0x3C7},
    {"psi", 0x3C8},      {"omega", 0x3C9},   {"thetasym", 0x3D1}, {"upsih", 0x3D2},
    {"piv", 0x3D6},      {"ensp", 0x2002},   {"emsp", 0x2003},    {"thinsp", 0x2009},
    {"zwnj", 0x200C},    {"zwj", 0x200D},    {"lrm", 0x200E},     {"rlm", 0x200F},
    {"ndash", 0x2013},   {"mdash", 0x2014},  {"lsquo", 0x2018},   {"rsquo", 0x2019},
    {"sbquo", 0x201A},   {"ldquo", 0x201C},  {"rdquo", 0x201D},   {"bdquo", 0x201E},
    {"dagger", 0x2020},  {"Dagger", 0x2021}, {"bull", 0x2022},    {"hellip", 0x2026},
    {"permil", 0x2030},  {"prime", 0x2032},  {"Prime", 0x2033},   {"lsaquo", 0x2039},
    {"rsaquo", 0x203A},  {"oline", 0x203E},  {"frasl", 0x2044},   {"euro", 0x20AC},
    {"image", 0x2111},   {"weierp", 0x2118}, {"real", 0x211C},    {"trade", 0x2122},
    {"alefsym", 0x2135}, {"larr", 0x2190},   {"uarr", 0x2191},    {"rarr", 0x2192},
    {"darr", 0x2193},    {"harr", 0x2194},   {"crarr", 0x21B5},   {"lArr", 0x21D0},
    {"uArr", 0x21D1},    {"rArr", 0x21D2},   {"dArr", 0x21D3},    {"hArr", 0x21D4},
    {"forall", 0x2200},  {"part", 0x2202},   {"exist", 0x2203},   {"empty", 0x2205},
    {"nabla", 0x2207},   {"isin", 0x2208},   {"notin", 0x2209},   {"ni", 0x220B},
    {"prod", 0x220F},    {"sum", 0x2211},    {"minus", 0x2212},   {"lowast", 0x2217},
    {"radic", 0x221A},   {"prop", 0x221D},   {"infin", 0x221E},   {"ang", 0x2220},
    {"and", 0x2227},     {"or", 0x2228},     {"cap", 0x2229},     {"cup", 0x222A},
    {"int", 0x222B},     {"there4", 0x2234}, {"sim", 0x223C},     {"cong", 0x2245},
    {"asymp", 0x2248},   {"ne", 0x2260},     {"equiv", 0x2261},   {"le", 0x2264},
    {"ge", 0x2265},      {"sub", 0x2282},    {"sup", 0x2283},     {"nsub", 0x2284},
    {"sube", 0x2286},    {"supe", 0x2287},   {"oplus", 0x2295},   {"otimes", 0x2297},
    {"perp", 0x22A5},    {"sdot", 0x22C5},   {"lceil", 0x2308},   {"rceil", 0x2309},
    {"lfloor", 0x230A},  {"rfloor", 0x230B}, {"lang", 0x2329},    {"rang", 0x232A},
    {"loz", 0x25CA},     {"spades", 0x2660}, {"clubs", 0x2663},   {"hearts", 0x2665},
    {"diams", 0x2666},
};

/// 0 if there is no such name.
char32_t named_character(std::string_view name) {
  if (name == "nbsp") return ' ';
  const auto* latin = std::find(std::begin(kLatin1), std::end(kLatin1), name);
  if (latin != std::end(kLatin1)) return 0xA0 + static_cast<char32_t>(latin - std::begin(kLatin1));
  const auto* other = std::find_if(std::begin(kEntities), std::end(kEntities),
                                   [&](const Entity& entity) { return entity.name == name; });
  return other == std::end(kEntities) ? 0 : other->code;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/// Appends what "&name;" at the front of `text` stands for; returns its length, or 0.
std::size_t decode_entity(std::string_view text, std::string& out) {
  constexpr std::size_t kLongest = 12;
  const std::size_t end = text.substr(0, kLongest).find(';');
  if (end == std::string_view::npos) return 0;
  std::string_view name = text.substr(1, end - 1);
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    const int base = name.starts_with('x') || name.starts_with('X') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), code, base);
    const bool is_scalar = code > 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size() || !is_scalar) return 0;
    utf8::append(out, static_cast<char32_t>(code));
    return end + 1;
  }
  const char32_t code = named_character(name);
  if (code == 0) return 0;
  utf8::append(out, code);
  return end + 1;
}

/// The row of "<name …" or "</name …"; nullptr if there is none.
const TagRow* find_tag(std::string_view tag) {
  std::string name;
  for (std::size_t i = tag.starts_with("</") ? 2 : 1;
       i < tag.size() && std::isalnum(static_cast<unsigned char>(tag[i])); ++i) {
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(tag[i])));
  }
  const auto* row = std::find_if(std::begin(kTags), std::end(kTags),
                                 [&](const TagRow& t) { return t.name == name; });
  return row == std::end(kTags) ? nullptr : row;
}

class HtmlReader {
 public:
  HtmlReader(std::string_view text, int first_line) : text_(text), line_(first_line) {}

  std::vector<Block> read() {
    while (at_ < text_.size()) {
      if (text_[at_] == '<') {
        tag();
      } else {
        character();
      }
    }
    end_block();
    return std::move(blocks_);
  }

 private:
  void advance(std::size_t n) {
    const std::string_view passed = text_.substr(at_, n);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }

  void character() {
    if (open_.text.empty()) open_.line = line_;
    const char c = text_[at_];
    if (c == '&') {
      if (const std::size_t n = decode_entity(text_.substr(at_), open_.text)) return advance(n);
    }
    if (!is_space(c) || (open_.kind == Block::Kind::code && c != '\r')) {
      if (c != '\n' || !open_.text.empty()) open_.text += c;
    } else if (!open_.text.empty() && !is_space(open_.text.back())) {
      open_.text += ' ';
    }
    advance(1);
  }

  void tag() {
    if (text_.substr(at_).starts_with("<!--")) {
      const std::size_t end = text_.find("-->", at_);
      return advance(end == std::string_view::npos ? text_.size() - at_ : end + 3 - at_);
    }
    const std::size_t end = last_end_ ? std::string_view::npos : text_.find('>', at_);
    last_end_ = end == std::string_view::npos;
    const bool is_tag = at_ + 1 < text_.size() && end != std::string_view::npos &&
                        (std::isalpha(static_cast<unsigned char>(text_[at_ + 1])) ||
                         text_[at_ + 1] == '/' || text_[at_ + 1] == '!' || text_[at_ + 1] == '?');
    if (!is_tag) {
      open_.text += '<';
      return advance(1);
    }
    const bool closes = text_[at_ + 1] == '/';
    const TagRow* row = find_tag(text_.substr(at_, end - at_));
    advance(end + 1 - at_);
    if (row) apply(*row, closes);
  }

  void apply(const TagRow& row, bool closes) {
    switch (row.effect) {
      case Effect::heading:
        end_block();
        open_.kind = closes ? Block::Kind::paragraph : Block::Kind::heading;
        open_.level = closes ? 0 : row.level;
        break;
      case Effect::row:
        if (open_.kind != Block::Kind::table && closes) break;
        if (open_.kind != Block::Kind::table) end_block();
        open_.kind = Block::Kind::table;
        if (!at_line_begin()) add_bar("|\n");  // a row may go without its end
        break;
      case Effect::cell:
        if (!closes) add_bar("| ");
        break;
      case Effect::skip:
        if (!closes) skip_to_end_of(row.name);
        break;
      case Effect::code:
      case Effect::end_block:
      case Effect::end_section:
        divide(row, closes);
        break;
      case Effect::none:
        break;
    }
  }

  void add_bar(std::string_view bar) {
    while (open_.text.ends_with(' ')) open_.text.pop_back();
    if (!at_line_begin()) open_.text += ' ';
    open_.text += bar;
  }

  bool at_line_begin() const { return open_.text.empty() || open_.text.back() == '\n'; }

  /// Between two blocks; inside a table's cell there are none.
  void divide(const TagRow& row, bool closes) {
    if (open_.kind == Block::Kind::table && row.name != "table") {
      if (!is_space(open_.text.empty() ? ' ' : open_.text.back())) open_.text += ' ';
      return;
    }
    end_block();
    if (row.effect == Effect::code && !closes) open_.kind = Block::Kind::code;
    if (row.effect == Effect::end_section && closes) {
      blocks_.push_back({Block::Kind::heading, row.level, "", line_});
    }
  }

  void skip_to_end_of(std::string_view name) {
    const std::string end = "</" + std::string(name);
    const auto found = std::search(
        text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), end.begin(), end.end(),
        [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    advance(static_cast<std::size_t>(found - text_.begin()) - at_);
  }

  void end_block() {
    while (!open_.text.empty() && is_space(open_.text.back())) open_.text.pop_back();
    if (!open_.text.empty()) blocks_.push_back(std::move(open_));
    open_ = {};
    open_.line = line_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  bool last_end_ = false;  // no tag ends any more
  Block open_;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> parse_html(std::string_view text, int first_line) {
  return HtmlReader(text, first_line).read();
}

std::string without_entities(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t decoded = text[0] == '&' ? decode_entity(text, out) : 0;
    if (decoded == 0) out += text[0];
    text.remove_prefix(std::max<std::size_t>(decoded, 1));
  }
  return out;
}

bool begins_html_block(std::string_view line) {
  return line.starts_with('<') && find_tag(line);
}

}  // namespace hearth::retrieval
