// Sentencepiece unigram ("t5" vocabularies: T5, XLM-RoBERTa and its kin): of all ways to write the
// normalised text as tokens the one with the highest sum of scores (Kudo 2018), found from left to
// right (Viterbi). A character that is no token costs more than any token and is unknown.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/aho_corasick.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/fragment_encoder.h"
#include "tokenizer/join_map.h"
#include "tokenizer/space_mark.h"
#include "tokenizer/word_cache.h"

namespace hearth {
namespace {

constexpr float kUnknownPenalty = 10;  // below the worst token, as sentencepiece has it

class Unigram : public FragmentEncoder {
 public:
  explicit Unigram(const Vocab& vocab);

  void encode(std::string_view text, FragmentContext context,
              std::vector<TokenId>& out) const override;
  std::string token_bytes(TokenId id) const override {
    return unmark_spaces(vocab_.tokens[static_cast<std::size_t>(id)]);
  }

 private:
  // The best way to write a piece up to some byte.
  struct Best {
    double score = 0;
    std::size_t begin = 0;     // of the last token
    TokenId id = kNoToken;     // the last token
    bool is_boundary = false;  // a character begins here
  };

  std::string normalized(std::string_view text) const;
  std::string_view next_part(std::string_view text, std::size_t at, std::size_t& length) const;
  void encode_piece(std::string_view piece, std::vector<Best>& best,
                    std::vector<TokenId>& out) const;
  Best best_end(const std::vector<Best>& best, std::size_t character, std::size_t end,
                AhoCorasick::State state) const;

  const Vocab& vocab_;
  Charsmap charsmap_;
  JoinMap joins_;
  std::vector<float> scores_;  // finite
  float unknown_score_;
  AhoCorasick tokens_;
};

bool is_matched(TokenType type) {
  return type == TokenType::normal || type == TokenType::user_defined || type == TokenType::unused;
}

TokenPatterns matched_tokens(const Vocab& vocab) {
  TokenPatterns patterns;
  for (std::size_t i = 0; i < vocab.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (is_matched(vocab.type(id))) patterns.emplace_back(vocab.tokens[i], id);
  }
  return patterns;
}

// User-defined tokens are likelier than any text.
std::vector<float> finite_scores(const Vocab& vocab) {
  constexpr float kWorst = std::numeric_limits<float>::lowest();
  std::vector<float> scores = vocab.scores;
  scores.resize(vocab.tokens.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    float& score = scores[i];
    score = std::isnan(score) ? kWorst : std::clamp(score, kWorst, -kWorst);
    if (vocab.type(static_cast<TokenId>(i)) == TokenType::user_defined) score = 0;
  }
  return scores;
}

float lowest_normal_score(const Vocab& vocab, const std::vector<float>& scores) {
  float lowest = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (vocab.type(static_cast<TokenId>(i)) == TokenType::normal)
      lowest = std::min(lowest, scores[i]);
  }
  return lowest;
}

Unigram::Unigram(const Vocab& vocab)
    : vocab_(vocab),
      charsmap_(vocab.charsmap),
      joins_(JoinMap::of_characters(vocab.tokens)),
      scores_(finite_scores(vocab)),
      unknown_score_(lowest_normal_score(vocab, scores_) - kUnknownPenalty),
      tokens_(matched_tokens(vocab), AhoCorasick::Direction::forwards) {
  if (vocab.unk == kNoToken)
    throw Error({.where = "vocabulary",
                 .what = "a unigram vocabulary needs an unknown token",
                 .expected = "tokenizer.ggml.unknown_token_id",
                 .got = "none"});
}

// What the text at `at` becomes; `length` bytes of it are used up.
std::string_view Unigram::next_part(std::string_view text, std::size_t at,
                                    std::size_t& length) const {
  if (const Charsmap::Match match = charsmap_.longest(text.substr(at)); match.length > 0) {
    length = match.length;
    return match.replacement;
  }
  const utf8::Decoded decoded = utf8::decode_one(text.substr(at));
  length = decoded.length;
  return decoded.valid ? text.substr(at, length) : "\xEF\xBF\xBD";  // U+FFFD
}

// Spaces become marks: all of them, or, with remove_extra_whitespaces, one in front of each word.
std::string Unigram::normalized(std::string_view text) const {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  bool in_word = false;
  bool prefixed = !vocab_.add_space_prefix;
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); at += length) {
    for (const char c : next_part(text, at, length)) {
      if (c == ' ') {
        in_word = false;
        if (!vocab_.remove_extra_whitespaces) out += kSpaceMark;
        continue;
      }
      if (!in_word && (!prefixed || vocab_.remove_extra_whitespaces)) {
        out += kSpaceMark;
        prefixed = true;
      }
      in_word = true;
      out += c;
    }
  }
  return out;
}

void Unigram::encode(std::string_view text, FragmentContext, std::vector<TokenId>& out) const {
  const std::string all = normalized(text);
  const std::string_view view = all;
  WordCache cache(all.size());
  std::vector<Best> best;
  const std::size_t first = out.size();
  for (std::size_t done = 0; done < view.size();) {
    const std::size_t cut = joins_.next_cut(view, done);
    const std::size_t joint = out.size();
    cache.append(
        view.substr(done, cut - done), out,
        [&](std::string_view piece, std::vector<TokenId>& ids) { encode_piece(piece, best, ids); });
    done = cut;
    // Unknown characters side by side are one unknown token.
    if (joint > first && out[joint - 1] == vocab_.unk && out[joint] == vocab_.unk)
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(joint));
  }
}

void Unigram::encode_piece(std::string_view piece, std::vector<Best>& best,
                           std::vector<TokenId>& out) const {
  best.assign(piece.size() + 1, Best());
  best[0].is_boundary = true;
  AhoCorasick::State state = AhoCorasick::kRoot;
  for (std::size_t begin = 0, end = 0; begin < piece.size(); begin = end) {
    const std::size_t length = utf8::decode_one(piece.substr(begin)).length;
    for (; end < begin + length; ++end)
      state = tokens_.step(state, static_cast<unsigned char>(piece[end]));
    best[end] = best_end(best, begin, end, state);
  }
  const std::size_t first = out.size();
  for (std::size_t end = piece.size(); end > 0; end = best[end].begin) {
    if (best[end].id == vocab_.unk && out.size() > first && out.back() == vocab_.unk) continue;
    out.push_back(best[end].id);
  }
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
}

// The best of the tokens that end at `end`, where the character [character, end) does; among equals
// the longest.
Unigram::Best Unigram::best_end(const std::vector<Best>& best, std::size_t character,
                                std::size_t end, AhoCorasick::State state) const {
  Best winner;
  bool is_token = false;  // the character by itself
  for (AhoCorasick::State match = tokens_.longest(state); match != AhoCorasick::kRoot;
       match = tokens_.next_longest(match)) {
    const std::size_t begin = end - tokens_.length(match);
    if (!best[begin].is_boundary) continue;
    const TokenId id = tokens_.id(match);
    is_token = is_token || begin == character;
    const double score = best[begin].score + scores_[static_cast<std::size_t>(id)];
    if (winner.id == kNoToken || score > winner.score) winner = {score, begin, id, true};
  }
  const double unknown = best[character].score + unknown_score_;
  if (!is_token && (winner.id == kNoToken || unknown > winner.score))
    winner = {unknown, character, vocab_.unk, true};
  return winner;
}

}  // namespace

std::unique_ptr<FragmentEncoder> make_unigram(const Vocab& vocab) {
  return std::make_unique<Unigram>(vocab);
}

}  // namespace hearth
