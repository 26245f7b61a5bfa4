// WordPiece (BERT): each word is cut into the longest tokens from the left; a word that cannot be
// cut completely is the unknown token. In GGUF files a token that begins a word has U+2581 in front
// and one that continues it has nothing, where BERT's own files have nothing and "##".
#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "tokenizer/bert_normalizer.h"
#include "tokenizer/fragment_encoder.h"
#include "tokenizer/space_mark.h"
#include "tokenizer/token_matcher.h"
#include "tokenizer/word_cache.h"

namespace hearth {
namespace {

// How a byte of the text divides it. What lies between spaces and punctuation of ASCII is a span:
// one word as a rule, more where other scripts have spaces or punctuation in it.
enum class ByteRole : std::uint8_t { in_span, space, punctuation };

constexpr std::array<ByteRole, 256> byte_roles() {
  std::array<ByteRole, 256> roles{};
  for (std::size_t c = 0x21; c < 0x7F; ++c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric) roles[c] = ByteRole::punctuation;
  }
  for (std::size_t c = '\t'; c <= '\r'; ++c) roles[c] = ByteRole::space;
  roles[' '] = ByteRole::space;
  return roles;
}

constexpr std::array<ByteRole, 256> kByteRoles = byte_roles();

ByteRole role_of(char c) {
  return kByteRoles[static_cast<unsigned char>(c)];
}

class WordPiece : public FragmentEncoder {
 public:
  explicit WordPiece(const Vocab& vocab);

  void encode(std::string_view text, FragmentContext context,
              std::vector<TokenId>& out) const override;
  std::string token_bytes(TokenId id) const override {
    return unmark_spaces(vocab_.tokens[static_cast<std::size_t>(id)]);
  }

 private:
  void encode_span(std::string_view span, std::vector<TokenId>& out) const;
  void encode_word(std::string_view word, std::vector<TokenId>& out) const;
  bool is_too_long(std::string_view word) const;

  const Vocab& vocab_;
  BertNormalizerOptions options_;
  TokenMatcher matcher_;
  std::array<std::vector<TokenId>, 128> punctuation_;
};

WordPiece::WordPiece(const Vocab& vocab)
    : vocab_(vocab),
      options_{.lowercase = vocab.lowercase,
               .strip_accents = vocab.strip_accents,
               .first_of_decomposition = vocab.first_of_decomposition} {
  if (vocab.unk == kNoToken)
    throw Error({.where = "vocabulary",
                 .what = "a WordPiece vocabulary needs an unknown token",
                 .expected = "tokenizer.ggml.unknown_token_id",
                 .got = "none"});
  TokenPatterns patterns;
  patterns.reserve(vocab.tokens.size());
  for (std::size_t i = 0; i < vocab.tokens.size(); ++i)
    patterns.emplace_back(vocab.tokens[i], static_cast<TokenId>(i));
  matcher_ = TokenMatcher(patterns);
  for (std::size_t c = 0; c < punctuation_.size(); ++c) {
    const char text = static_cast<char>(c);
    if (role_of(text) == ByteRole::punctuation) encode_word({&text, 1}, punctuation_[c]);
  }
}

void WordPiece::encode(std::string_view text, FragmentContext, std::vector<TokenId>& out) const {
  WordCache cache(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const ByteRole role = role_of(text[i]);
    if (role == ByteRole::space) {
      ++i;
    } else if (role == ByteRole::punctuation) {
      const std::vector<TokenId>& ids = punctuation_[static_cast<unsigned char>(text[i++])];
      out.insert(out.end(), ids.begin(), ids.end());
    } else {
      std::size_t end = i + 1;
      while (end < text.size() && role_of(text[end]) == ByteRole::in_span) ++end;
      cache.append(
          text.substr(i, end - i), out,
          [this](std::string_view span, std::vector<TokenId>& ids) { encode_span(span, ids); });
      i = end;
    }
  }
}

void WordPiece::encode_span(std::string_view span, std::vector<TokenId>& out) const {
  for (const std::string& word : bert_words(span, options_)) encode_word(word, out);
}

bool WordPiece::is_too_long(std::string_view word) const {
  if (vocab_.most_word_characters == 0) return false;
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return std::count_if(word.begin(), word.end(), is_start) > vocab_.most_word_characters;
}

void WordPiece::encode_word(std::string_view word, std::vector<TokenId>& out) const {
  if (is_too_long(word)) {
    out.push_back(vocab_.unk);
    return;
  }
  std::string marked(kSpaceMark);
  marked += word;
  const std::size_t before = out.size();
  std::size_t done = 0;
  for (const TokenMatch& match : matcher_.find(marked)) {
    if (match.begin != done) break;  // a gap
    out.push_back(match.id);
    done = match.end;
  }
  if (done == marked.size()) return;
  out.resize(before);
  out.push_back(vocab_.unk);
}

}  // namespace

std::unique_ptr<FragmentEncoder> make_wordpiece(const Vocab& vocab) {
  return std::make_unique<WordPiece>(vocab);
}

}  // namespace hearth
