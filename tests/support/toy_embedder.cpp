#include "tests/support/toy_embedder.h"

#include <fstream>

#include "tests/support/toy_model.h"

namespace hearth::test {
namespace {

std::vector<std::string> vocabulary() {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?!#-";
  for (const char letter : letters) tokens.push_back("\u2581" + std::string(1, letter));
  for (const char letter : letters) tokens.emplace_back(1, letter);
  return tokens;
}

}  // namespace

std::vector<std::byte> toy_embedder(const ToyEmbedderOptions& options) {
  const std::vector<std::string> tokens = vocabulary();
  ToyOptions toy{.family = options.family,
                 .n_layer = 2,
                 .n_head_kv = 4,
                 .n_vocab = static_cast<int>(tokens.size()),
                 .n_ctx = options.n_ctx,
                 .seed = options.seed};
  toy.metadata = [&](gguf::Writer& writer) {
    writer.set("tokenizer.ggml.model", "bert");
    writer.set_array("tokenizer.ggml.tokens", tokens);
    std::vector<std::int32_t> types(tokens.size(), 1);
    for (std::size_t i = 0; i < 4; ++i) types[i] = i == 1 ? 2 : 3;
    writer.set_array("tokenizer.ggml.token_type", types);
    writer.set("tokenizer.ggml.padding_token_id", std::uint32_t{0});
    writer.set("tokenizer.ggml.unknown_token_id", std::uint32_t{1});
    writer.set("tokenizer.ggml.cls_token_id", std::uint32_t{2});
    writer.set("tokenizer.ggml.seperator_token_id", std::uint32_t{3});
    if (options.family == "bert") {
      writer.set("tokenizer.ggml.token_type_count", std::uint32_t{2});
    }
    if (options.family == "mpnet") {
      writer.set("mpnet.attention.relative_buckets_count", std::uint32_t{8});
      writer.set("mpnet.attention.relative_max_distance", std::uint32_t{16});
    }
    if (options.metadata) options.metadata(writer);
  };
  return toy_model(toy);
}

void write_toy_embedder(const std::string& path, const ToyEmbedderOptions& options) {
  const std::vector<std::byte> bytes = toy_embedder(options);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace hearth::test
