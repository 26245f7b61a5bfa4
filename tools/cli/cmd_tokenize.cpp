// hearth tokenize, hearth detokenize: what a model sees of a text, and the text of ids.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/model_option.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

struct TokenizeOptions {
  std::string model;
  TextInput text;
  bool ids_only = false, no_special = false, parse_special = false, json = false;
};

struct DetokenizeOptions {
  std::string model;
  TextInput ids;
  bool no_special = false, clean_up = false;
};

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& model) {
  return Tokenizer::create(vocab_from_gguf(open_model(model)));
}

// One token and the bytes [begin, end) that it is of the text which all pieces make, one after the
// other.
struct Row {
  TokenId id;
  std::string_view piece;
  std::size_t begin, end;
};

std::vector<Row> rows_of(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::vector<Row> rows;
  std::size_t at = 0;
  for (const TokenId id : ids) {
    const std::string_view piece = tokenizer.piece(id, {.render_special = true});
    rows.push_back({id, piece, at, at + piece.size()});
    at += piece.size();
  }
  return rows;
}

// Printable in one line: control characters, backslashes and bytes that are not UTF-8 are escaped.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded decoded = utf8::decode_one(text.substr(i));
    const std::string_view bytes = text.substr(i, decoded.length);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    if (bytes == "\n") {
      out += "\\n";
    } else if (bytes == "\t") {
      out += "\\t";
    } else if (bytes == "\r") {
      out += "\\r";
    } else if (bytes == "\\") {
      out += "\\\\";
    } else if (!decoded.valid || byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02X}", byte);
    } else {
      out += bytes;
    }
    i += decoded.length;
  }
  return out;
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

void print_table(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  for (const Row& row : rows_of(tokenizer, ids)) {
    fmt::print("{:>7}  {:>6}..{:<6}  \"{}\"{}\n", row.id, row.begin, row.end, escaped(row.piece),
               tokenizer.is_special(row.id) ? "   (special)" : "");
  }
  fmt::print("{} tokens\n", ids.size());
}

void print_json(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  using nlohmann::json;
  json tokens = json::array();
  for (const Row& row : rows_of(tokenizer, ids)) {
    tokens.push_back({{"id", row.id},
                      {"piece", utf8::sanitize(row.piece)},
                      {"hex", hex_of(row.piece)},
                      {"begin", row.begin},
                      {"end", row.end},
                      {"special", tokenizer.is_special(row.id)}});
  }
  fmt::print("{}\n", json{{"ids", ids}, {"tokens", std::move(tokens)}}.dump());
}

void tokenize(const TokenizeOptions& options) {
  const auto tokenizer = open_tokenizer(options.model);
  const std::vector<TokenId> ids =
      tokenizer->encode(read_text(options.text), {.add_special = !options.no_special,
                                                  .parse_special = options.parse_special,
                                                  .repeat_bos = true});
  if (options.json) {
    print_json(*tokenizer, ids);
  } else if (options.ids_only) {
    fmt::print("{}\n", fmt::join(ids, " "));
  } else {
    print_table(*tokenizer, ids);
  }
}

// Numbers with anything between them that cannot be part of one: "1 2 3", "[1, 2, 3]".
std::vector<TokenId> parse_ids(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n,[]";
  std::vector<TokenId> ids;
  for (std::size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    const std::string_view number = text.substr(at, end - at);
    TokenId id = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), id);
    if (result.ec != std::errc() || result.ptr != number.data() + number.size()) {
      throw Error({.where = "token ids",
                   .what = "one of them is not a number",
                   .expected = "ids such as \"1 2 3\"",
                   .got = fmt::format("\"{}\"", escaped(number.substr(0, 40)))});
    }
    ids.push_back(id);
    at = text.find_first_not_of(kBetween, end);
  }
  return ids;
}

void detokenize(const DetokenizeOptions& options) {
  const auto tokenizer = open_tokenizer(options.model);
  const std::string text = tokenizer->decode(
      parse_ids(read_text(options.ids)),
      {.render_special = !options.no_special, .clean_up_spaces = options.clean_up});
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void add_tokenize(CommandLine& line) {
  auto options = std::make_shared<TokenizeOptions>();
  Command command = line.command("tokenize", "Show the token ids of a text");
  add_model_option(command, options->model);
  add_text_input(command, options->text, "text", "The text");
  command.flag("--ids", options->ids_only, "Print nothing but the ids, on one line");
  command.flag("--no-special", options->no_special,
               "Do not add the tokens that the model wants around a text (BOS, EOS …)");
  command.flag("--parse-special", options->parse_special,
               "Read the text of special tokens, \"<|im_end|>\", as those tokens");
  command.flag("--json", options->json, "Print ids, pieces and byte ranges as JSON");
  command.runs([options] { tokenize(*options); });
}

void add_detokenize(CommandLine& line) {
  auto options = std::make_shared<DetokenizeOptions>();
  Command command = line.command("detokenize", "Write the text of token ids, byte for byte");
  add_model_option(command, options->model);
  add_text_input(command, options->ids, "ids", "The ids: \"1 2 3\" or \"[1, 2, 3]\"");
  command.flag("--no-special", options->no_special, "Leave special tokens out");
  command.flag("--clean-up", options->clean_up,
               "Drop the space before punctuation where the model's authors do so");
  command.runs([options] { detokenize(*options); });
}

}  // namespace hearth::cli
