#include "tokenizer/text_splitter.h"

#include <utf8proc.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hearth {
namespace {

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::string pcre2_message(int code) {
  PCRE2_UCHAR text[128] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

// Unicode's White_Space. PCRE2's \s has U+180E too, a format character since Unicode 6.3.
#define WHITE_SPACE \
  R"(\t-\r\x20\x85\xA0\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})"

std::string with_unicode_spaces(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\') {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      out += c;
      continue;
    }
    HEARTH_CHECK(i + 1 < pattern.size());
    const char escaped = pattern[++i];
    if (escaped == 's') {
      out += in_class ? WHITE_SPACE : "[" WHITE_SPACE "]";
    } else if (escaped == 'S') {
      HEARTH_CHECK(!in_class);
      out += "[^" WHITE_SPACE "]";
    } else {
      out += {c, escaped};
    }
  }
  return out;
}

// A compiled pattern. The table's patterns are ours: one that does not compile is our mistake.
class Regex {
 public:
  explicit Regex(std::string_view pattern) {
    const std::string source = with_unicode_spaces(pattern);
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                              nullptr));
    HEARTH_CHECK(code_ != nullptr);
    // Where the system forbids code made at run time, the interpreter does the same, slower.
    jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;
  }

  struct Match {
    std::size_t begin, end;
    bool found;
  };

  // `text` must be well-formed UTF-8.
  Match find(std::string_view text, std::size_t from, pcre2_match_data* data,
             pcre2_match_context* context) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const int rc = jit_ ? pcre2_jit_match(code_.get(), subject, text.size(), from, 0, data, context)
                        : pcre2_match(code_.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                                      data, context);
    if (rc == PCRE2_ERROR_NOMATCH) return {0, 0, false};
    if (rc < 0) {
      throw Error("the pre-tokenizer gave up on a text of " + std::to_string(text.size()) +
                  " bytes: " + pcre2_message(rc));
    }
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data);
    HEARTH_CHECK(range[1] > range[0]);  // no pattern of the table matches nothing
    return {range[0], range[1], true};
  }

 private:
  Owned<pcre2_code> code_;
  bool jit_ = false;
};

bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

bool is_number(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_NO;
}

// The end of the run of numbers that begins at `i`, and how many they are.
struct Run {
  std::size_t end, count;
};
Run number_run(std::string_view text, std::size_t i, bool (*counts)(char32_t)) {
  Run run{i, 0};
  while (run.end < text.size()) {
    const utf8::Decoded d = utf8::decode_one(text.substr(run.end));
    if (!counts(d.code_point)) break;
    run.end += d.length;
    ++run.count;
  }
  return run;
}

// Without `cut_behind` a cut stands wherever a multiple of three digits follows up to the end of
// the run. With it, cuts stand behind the groups instead: the first group keeps what is before it.
template <typename Piece>
void cut_groups_of_three(std::string_view text, bool (*counts)(char32_t), bool cut_behind,
                         const Piece& piece) {
  std::size_t from = 0;
  const auto cut = [&](std::size_t at) {
    if (at > from) piece(text.substr(from, at - from));
    from = at;
  };
  for (std::size_t i = 0; i < text.size();) {
    const Run run = number_run(text, i, counts);
    for (std::size_t left = run.count; left > 0; --left) {
      const bool group_begins = left % 3 == 0;
      const bool first = left == run.count;
      if (group_begins && !(cut_behind && first)) cut(i);
      i += utf8::decode_one(text.substr(i)).length;
    }
    if (cut_behind && run.count > 0) cut(i);
    if (i < text.size()) i += utf8::decode_one(text.substr(i)).length;
  }
  cut(text.size());
}

// `text` with every byte that is not part of a character replaced by a control character, so that
// offsets stay the same.
std::string mask_malformed(std::string_view text, std::size_t first) {
  constexpr char kSubstitute = '\x1A';
  std::string masked(text);
  for (std::size_t i = first; i < text.size();) {
    const utf8::Decoded d = utf8::decode_one(text.substr(i));
    if (!d.valid) masked[i] = kSubstitute;
    i += d.length;
  }
  return masked;
}

}  // namespace

struct TextSplitter::Impl {
  struct Step {
    CutKind kind;
    std::unique_ptr<const Regex> regex;  // of CutKind::matches
  };

  // What one call of split() needs.
  struct Run {
    Owned<pcre2_match_data> data{pcre2_match_data_create(1, nullptr)};
    const char* seen;      // the text that patterns see …
    const char* original;  // … and the one that words are views of
    const WordFn& word;
  };

  explicit Impl(const PreTokenizer& row) : context(pcre2_match_context_create(nullptr)) {
    HEARTH_CHECK(context != nullptr);
    // The patterns of the table need no limit: they take time linear in the text.
    pcre2_set_match_limit(context.get(), std::numeric_limits<std::uint32_t>::max());
    for (const CutStep& step : row.steps) {
      if (step.is_unused()) break;
      const bool is_regex = step.kind == CutKind::matches;
      steps.push_back(
          {step.kind, is_regex ? std::make_unique<const Regex>(step.pattern) : nullptr});
    }
  }

  // Hands `text`, a piece that the first `n_done` steps have left, to the next one.
  void apply(Run& run, std::size_t n_done, std::string_view text) const {
    if (n_done == steps.size()) {
      run.word({run.original + (text.data() - run.seen), text.size()});
      return;
    }
    const Step& step = steps[n_done];
    const auto next = [&](std::string_view piece) { apply(run, n_done + 1, piece); };
    if (step.kind == CutKind::digit_groups) return cut_groups_of_three(text, is_digit, false, next);
    if (step.kind == CutKind::number_groups)
      return cut_groups_of_three(text, is_number, true, next);
    std::size_t done = 0;
    while (done < text.size()) {
      const Regex::Match match = step.regex->find(text, done, run.data.get(), context.get());
      const std::size_t begin = match.found ? match.begin : text.size();
      if (begin > done) next(text.substr(done, begin - done));
      if (!match.found) return;
      next(text.substr(begin, match.end - begin));
      done = match.end;
    }
  }

  Owned<pcre2_match_context> context;
  std::vector<Step> steps;
};

TextSplitter::TextSplitter(const PreTokenizer& row) : impl_(std::make_unique<const Impl>(row)) {}
TextSplitter::~TextSplitter() = default;

void TextSplitter::split(std::string_view text, const WordFn& word) const {
  if (text.empty()) return;
  const std::size_t malformed = utf8::first_malformed(text);
  const std::string masked =
      malformed < text.size() ? mask_malformed(text, malformed) : std::string();
  const std::string_view seen = masked.empty() ? text : std::string_view(masked);
  Impl::Run run{.seen = seen.data(), .original = text.data(), .word = word};
  HEARTH_CHECK(run.data != nullptr);
  impl_->apply(run, 0, seen);
}

}  // namespace hearth
