// A model and a tokenizer for tests of what runs models: a vocabulary of bytes, and an Evaluator
// whose next token is any function of all the tokens before it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/runtime/evaluator.h"
#include "tokenizer/tokenizer.h"

namespace hearth::test {

inline constexpr TokenId kBos = 1, kEos = 2, kFirstByte = 3;
inline constexpr int kFakeVocab = 3 + 256 + 1;

/// 0 <unk>, 1 <s>, 2 </s>, then the 256 bytes, then the space mark of sentencepiece.
inline std::unique_ptr<Tokenizer> byte_tokenizer() {
  Vocab vocab;
  vocab.kind = TokenizerKind::sentencepiece;
  vocab.tokens = {"<unk>", "<s>", "</s>"};
  vocab.types = {TokenType::unknown, TokenType::control, TokenType::control};
  for (int i = 0; i < 256; ++i) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", i);
    vocab.tokens.emplace_back(text);
    vocab.types.push_back(TokenType::byte);
  }
  vocab.tokens.emplace_back("\xE2\x96\x81");
  vocab.types.push_back(TokenType::normal);
  vocab.scores.assign(vocab.tokens.size(), 0.0f);
  vocab.unk = 0;
  vocab.bos = kBos;
  vocab.eos = kEos;
  vocab.add_bos = true;
  vocab.end_of_generation = {kEos};
  return Tokenizer::create(std::move(vocab));
}

inline TokenId byte_token(char c) {
  return c == ' ' ? kFirstByte + 256 : kFirstByte + static_cast<unsigned char>(c);
}

/// An Evaluator that takes all tokens one by one, for fakes.
class OneByOne : public Evaluator {
 public:
  void eval_all(std::span<const std::int32_t> tokens, const LogitsSink& sink,
                const ProgressFn& progress) override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      report(progress, i, tokens.size());
      sink(eval(tokens.subspan(i, 1), {}));
    }
  }
};

/// Says what `next` says: its token gets a logit of 20, every other one a small number that depends
/// on the whole context, so that a wrong token anywhere in the cache shows.
class FakeEvaluator : public OneByOne {
 public:
  using Next = std::function<TokenId(std::span<const TokenId> context)>;

  FakeEvaluator(int n_ctx, Next next) : n_ctx_(n_ctx), next_(std::move(next)) {}

  int n_vocab() const override { return kFakeVocab; }
  int n_ctx() const override { return n_ctx_; }
  int n_past() const override { return static_cast<int>(context_.size()); }

  int truncate(int n) override {
    HEARTH_CHECK(n >= 0 && n <= n_past());
    if (n < n_past() - reach) n = 0;
    context_.resize(static_cast<std::size_t>(n));
    return n;
  }

  std::span<const float> eval(std::span<const std::int32_t> tokens,
                              const ProgressFn& progress) override {
    HEARTH_CHECK(!tokens.empty());
    if (n_past() + static_cast<int>(tokens.size()) > n_ctx_) throw Error("does not fit");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i % kMicroBatch == 0) report(progress, i, tokens.size());
      context_.push_back(tokens[i]);
      ++evaluated;
    }
    std::uint64_t hash = 14695981039346656037u;
    for (const TokenId id : context_)
      hash = (hash ^ static_cast<std::uint64_t>(id)) * 1099511628211u;
    for (float& logit : logits_) {
      hash = hash * 6364136223846793005u + 1442695040888963407u;
      logit = static_cast<float>(hash >> 40) * 0x1p-24f;
    }
    logits_[static_cast<std::size_t>(next_(context_))] = 20.0f;
    return logits_;
  }

  const std::vector<TokenId>& context() const { return context_; }

  static constexpr std::size_t kMicroBatch = 8;
  int evaluated = 0;    // tokens, ever
  int reach = 1 << 30;  // how far back it can go on from

 private:
  int n_ctx_;
  Next next_;
  std::vector<TokenId> context_;
  std::vector<float> logits_ = std::vector<float>(kFakeVocab);
};

/// A model that answers by a script: after a prompt that ends with `marker` it says the answer that
/// `choose` gives for the text of the prompt, then the end token.
inline FakeEvaluator::Next scripted(const Tokenizer& tokenizer, std::string marker,
                                    std::function<std::string(const std::string& prompt)> choose) {
  return [&tokenizer, marker = std::move(marker),
          choose = std::move(choose)](std::span<const TokenId> context) -> TokenId {
    const std::string text = tokenizer.decode(context);
    const std::size_t at = text.rfind(marker);
    if (at == std::string::npos) return kEos;
    const std::string answer = choose(text.substr(0, at + marker.size()));
    const std::size_t said = text.size() - at - marker.size();
    return said < answer.size() ? byte_token(answer[said]) : kEos;
  };
}

}  // namespace hearth::test
