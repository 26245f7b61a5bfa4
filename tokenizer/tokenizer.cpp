// The frame around the encoders: special tokens, BOS and EOS, the bytes of every token.
#include "tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/clean_up_spaces.h"

namespace hearth {
namespace {

std::unique_ptr<FragmentEncoder> make_encoder(const Vocab& vocab) {
  switch (vocab.kind) {
    case TokenizerKind::sentencepiece:
      return make_sentencepiece(vocab);
    case TokenizerKind::unigram:
      return make_unigram(vocab);
    case TokenizerKind::bpe:
      return make_bpe(vocab);
    case TokenizerKind::wordpiece:
      return make_wordpiece(vocab);
  }
  throw Error("this kind of tokenizer is not supported");
}

bool contains(const std::vector<TokenId>& sorted, TokenId id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// A mark after each character keeps a token from being found. U+FDD0 is no character (Unicode 3.4),
// so no text has a use for it.
constexpr std::string_view kMark = "\xEF\xB7\x90";

std::string without_marks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t mark = std::min(text.find(kMark, at), text.size());
    out += text.substr(at, mark - at);
    at = mark + kMark.size();
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

TokenMatcher matcher(const Vocab& vocab, bool with_special) {
  TokenPatterns patterns;
  for (std::size_t i = 0; i < vocab.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocab.type(id);
    const bool special = type == TokenType::control || type == TokenType::unknown;
    if (type == TokenType::user_defined || (with_special && special)) {
      patterns.emplace_back(vocab.tokens[i], id);
    }
  }
  return TokenMatcher(patterns);
}

}  // namespace

int byte_token_value(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const int high = hex_digit(text[3]);
  const int low = hex_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Tokenizer::Tokenizer(Vocab vocab) : vocab_(std::move(vocab)) {
  check_vocab();
  encoder_ = make_encoder(vocab_);
  user_defined_ = matcher(vocab_, false);
  all_special_ = matcher(vocab_, true);
  build_pieces();
}

std::unique_ptr<Tokenizer> Tokenizer::create(Vocab vocab) {
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(vocab)));
}

void Tokenizer::check_vocab() const {
  const std::size_t n = vocab_.tokens.size();
  const auto fail = [](std::string what, std::string expected, std::string got) {
    throw Error({.where = "vocabulary",
                 .what = std::move(what),
                 .expected = std::move(expected),
                 .got = std::move(got)});
  };
  if (n == 0) fail("has no tokens", "at least one", "none");
  if (!vocab_.scores.empty() && vocab_.scores.size() != n)
    fail("has another number of scores than of tokens", fmt::format("{}", n),
         fmt::format("{}", vocab_.scores.size()));
  if (!vocab_.types.empty() && vocab_.types.size() != n)
    fail("has another number of token types than of tokens", fmt::format("{}", n),
         fmt::format("{}", vocab_.types.size()));
  const std::pair<const char*, TokenId> ids[] = {{"BOS", vocab_.bos},     {"EOS", vocab_.eos},
                                                 {"EOT", vocab_.eot},     {"EOM", vocab_.eom},
                                                 {"unknown", vocab_.unk}, {"separator", vocab_.sep},
                                                 {"padding", vocab_.pad}, {"mask", vocab_.mask}};
  for (const auto& [name, id] : ids) {
    if (id < kNoToken || id >= n_tokens())
      fail(fmt::format("has a {} token that does not exist", name), fmt::format("below {}", n),
           fmt::format("{}", id));
  }
  if (vocab_.add_bos && vocab_.bos == kNoToken)
    fail("asks for a BOS token in front of every text but names none", "a BOS token id", "none");
  if (vocab_.add_eos && vocab_.eos == kNoToken)
    fail("asks for an EOS token after every text but names none", "an EOS token id", "none");
  if (vocab_.add_sep && vocab_.sep == kNoToken)
    fail("asks for a separator after every text but names none", "a separator token id", "none");
}

void Tokenizer::build_pieces() {
  piece_ends_.reserve(vocab_.tokens.size() + 1);
  piece_ends_.push_back(0);
  for (std::size_t i = 0; i < vocab_.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    switch (vocab_.type(id)) {
      case TokenType::unknown:
      case TokenType::control:
      case TokenType::user_defined:
        piece_bytes_ += vocab_.tokens[i];
        break;
      case TokenType::byte:
        if (const int value = byte_token_value(vocab_.tokens[i]); value >= 0) {
          piece_bytes_ += static_cast<char>(value);
          break;
        }
        [[fallthrough]];
      case TokenType::normal:
      case TokenType::unused:
      case TokenType::undefined:
        piece_bytes_ += encoder_->token_bytes(id);
        break;
    }
    piece_ends_.push_back(piece_bytes_.size());
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<TokenId> ids;
  const bool add_bos = options.add_special && vocab_.add_bos;
  if (add_bos) ids.push_back(vocab_.bos);

  FragmentContext context{.after_special = true};
  std::size_t done = 0;
  const auto plain = [&](std::size_t end) {
    if (end <= done) return;
    const std::string_view fragment = text.substr(done, end - done);
    if (options.drop_marks && fragment.find(kMark) != std::string_view::npos) {
      const std::string unmarked = without_marks(fragment);
      if (unmarked.empty()) return;
      encoder_->encode(unmarked, context, ids);
    } else {
      encoder_->encode(fragment, context, ids);
    }
    context.after_special = false;
  };
  const TokenMatcher& special = options.parse_special ? all_special_ : user_defined_;
  for (const TokenMatch& match : special.find(text)) {
    if (match.begin < done) continue;  // in the white space that the token before has swallowed
    std::size_t end = match.begin;
    if (contains(vocab_.strip_left, match.id)) {
      while (end > done && is_ascii_space(text[end - 1])) --end;
    }
    plain(end);
    ids.push_back(match.id);
    context.after_special = true;
    done = match.end;
    if (contains(vocab_.strip_right, match.id)) {
      while (done < text.size() && is_ascii_space(text[done])) ++done;
    }
  }
  plain(text.size());

  if (add_bos && !options.repeat_bos && ids.size() > 1 && ids[1] == vocab_.bos)
    ids.erase(ids.begin());
  if (options.add_special && vocab_.add_eos) ids.push_back(vocab_.eos);
  if (options.add_special && vocab_.add_sep) ids.push_back(vocab_.sep);
  return ids;
}

std::string Tokenizer::as_literal(std::string_view text) const {
  std::string out;
  std::size_t done = 0;
  for (const TokenMatch& match : all_special_.find(text)) {
    if (!is_special(match.id)) continue;
    out += text.substr(done, match.begin - done);
    for (done = match.begin; done < match.end;) {
      const std::size_t length = utf8::decode_one(text.substr(done)).length;
      out += text.substr(done, length);
      out += kMark;
      done += length;
    }
  }
  return out += text.substr(done);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, DecodeOptions options) const {
  std::string text;
  for (const TokenId id : ids) text += piece(id, options);
  if (!options.continues_text && strips_leading_space() && text.starts_with(' ')) text.erase(0, 1);
  if (options.clean_up_spaces && vocab_.clean_up_spaces) text = clean_up_spaces(std::move(text));
  return text;
}

std::string_view Tokenizer::piece(TokenId id, DecodeOptions options) const {
  if (id < 0 || id >= n_tokens())
    throw Error({.where = "token id",
                 .what = "is not in the vocabulary",
                 .expected = fmt::format("0 to {}", n_tokens() - 1),
                 .got = fmt::format("{}", id)});
  if (!options.render_special && is_special(id)) return {};
  const auto i = static_cast<std::size_t>(id);
  return std::string_view(piece_bytes_).substr(piece_ends_[i], piece_ends_[i + 1] - piece_ends_[i]);
}

bool Tokenizer::is_special(TokenId id) const {
  const TokenType type = vocab_.type(id);
  return type == TokenType::control || type == TokenType::unknown;
}

bool Tokenizer::is_end_of_generation(TokenId id) const {
  return contains(vocab_.end_of_generation, id);
}

bool Tokenizer::strips_leading_space() const {
  return vocab_.add_space_prefix || vocab_.kind == TokenizerKind::wordpiece;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options)
    : tokenizer_(&tokenizer),
      options_(options),
      at_start_(!options.continues_text && tokenizer.strips_leading_space()) {}

std::string StreamDecoder::push(TokenId id) {
  std::string_view piece = tokenizer_->piece(id, options_);
  if (at_start_ && !piece.empty()) {
    at_start_ = false;
    if (piece.front() == ' ') piece.remove_prefix(1);
  }
  held_ += piece;
  std::string ready = held_.substr(0, held_.size() - utf8::incomplete_tail(held_));
  held_.erase(0, ready.size());
  return ready;
}

std::string StreamDecoder::finish() {
  return std::exchange(held_, {});
}

}  // namespace hearth
