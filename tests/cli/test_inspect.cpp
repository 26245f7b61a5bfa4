#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/gguf_builder.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using test::GgufBuilder;
using test::ProgramResult;
using test::run_hearth;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

// A file with one of everything that inspect shows.
class Inspect : public testing::Test {
 protected:
  Inspect() {
    std::vector<std::string> words;
    for (int i = 0; i < 100; ++i) words.push_back(std::to_string(i).insert(0, 1, 'w'));
    write_file(path(), GgufBuilder()
                           .kv_str("general.architecture", "toy")
                           .kv_str("general.name", "A \"toy\"\n\x1b[31m")
                           .kv<std::uint32_t>("general.quantization_version", test::kU32, 2)
                           .kv<float>("toy.scale", test::kF32, 0.1f)
                           .kv_strings("toy.words", words)
                           .tensor("blk.0.attn_q.weight", {32, 2}, 8, 0)
                           .tensor("blk.0.attn_norm.weight", {4}, 0, 96)
                           .data(std::string(68 + 28 + 16, 'x'))
                           .build());
  }

  std::string path() const { return (dir_ / "toy.gguf").string(); }

  ProgramResult inspect(std::vector<std::string> args) const {
    args.insert(args.begin(), {"inspect", "-m", path()});
    return run_hearth(args);
  }

  test::TempDir dir_;
};

TEST_F(Inspect, ShowsTheWholeFileToPeople) {
  const ProgramResult result = inspect({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("architecture   toy, which Hearth cannot run\n"));
  EXPECT_THAT(result.out, HasSubstr("parameters     68 (68)\n"));
  EXPECT_THAT(result.out, HasSubstr("84 B, 9.88 bits each\n"));  // 8 * 84 / 68
  EXPECT_THAT(result.out, HasSubstr("Q8_0"));
  EXPECT_THAT(result.out, HasSubstr("blk.0.attn_q.weight     Q8_0  2 x 32  68 B\n"));
  EXPECT_THAT(result.out, HasSubstr("blk.0.attn_norm.weight  F32        4  16 B\n"));
  EXPECT_THAT(result.out, HasSubstr("f32          0.1\n"));
  EXPECT_THAT(result.out, HasSubstr(R"(["w0", "w1", "w2", "w3", "w4", "w5", … 100 in all])"));
}

TEST_F(Inspect, EscapesWhatWouldDisturbTheTerminal) {
  const ProgramResult result = inspect({});
  EXPECT_THAT(result.out, HasSubstr(R"("A \"toy\"\n\x1b[31m")"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
}

TEST_F(Inspect, ListsAndFilters) {
  const ProgramResult tensors = inspect({"--tensors", "--filter", "*norm*"});
  EXPECT_THAT(tensors.out, HasSubstr("attn_norm"));
  EXPECT_THAT(tensors.out, Not(HasSubstr("attn_q")));
  EXPECT_THAT(tensors.out, Not(HasSubstr("general.")));
  const ProgramResult metadata = inspect({"--metadata"});
  EXPECT_THAT(metadata.out, HasSubstr("toy.scale"));
  EXPECT_THAT(metadata.out, Not(HasSubstr("attn_norm")));
  EXPECT_THAT(inspect({"--metadata", "--full"}).out, HasSubstr("\"w99\"]"));
}

TEST_F(Inspect, PrintsOneValueAsItIs) {
  EXPECT_EQ(inspect({"--key", "general.name"}).out, "A \"toy\"\n\x1b[31m\n");
  const ProgramResult missing = inspect({"--key", "nothing"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.err, "hearth: " + path() + ": metadata key 'nothing' is missing\n");
}

TEST_F(Inspect, SpeaksJson) {
  const ProgramResult result = inspect({"--json"});
  EXPECT_EQ(result.exit_code, 0);
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["architecture"], "toy");
  EXPECT_EQ(json["parameters"], 68);
  EXPECT_EQ(json["version"], 3);
  EXPECT_EQ(json["metadata"]["general.name"]["value"], "A \"toy\"\n\x1b[31m");
  EXPECT_EQ(json["metadata"]["toy.words"]["count"], 100);
  EXPECT_EQ(json["metadata"]["toy.words"]["head"][0], "w0");
  EXPECT_EQ(json["tensors"][0]["name"], "blk.0.attn_q.weight");
  EXPECT_EQ(json["tensors"][0]["shape"], Json({2, 32}));
  EXPECT_EQ(json["tensors"][1]["bytes"], 16);
  const Json full = Json::parse(inspect({"--json", "--full"}).out);
  EXPECT_EQ(full["metadata"]["toy.words"]["value"].size(), 100u);
}

TEST_F(Inspect, CheckSaysThatAGoodFileIsGood) {
  const ProgramResult result = inspect({"--check"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, path() + ": no violations\n");
  const Json json = Json::parse(inspect({"--check", "--json"}).out);
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["violations"], Json::array());
}

TEST_F(Inspect, CheckListsEveryViolationOfABadOne) {
  write_file(path(), GgufBuilder()
                         .kv<std::uint32_t>("general.architecture", test::kU32, 1)
                         .tensor("a", {2}, 0, 0)
                         .tensor("a", {2}, 0, 1)
                         .tensor("b", {0}, 0, 64)
                         .data(std::string(32, 'x'))
                         .build());
  const ProgramResult result = inspect({"--check"});
  EXPECT_EQ(result.exit_code, 1);
  for (const char* rule :
       {"key-type", "tensor-name-duplicate", "tensor-offset", "tensor-overlap", "tensor-dims"})
    EXPECT_THAT(result.out, HasSubstr(rule));
  EXPECT_EQ(result.err,
            "hearth: " + path() + ": the file breaks rules of the format in 5 places\n");
  const Json json = Json::parse(inspect({"--check", "--json"}).out);
  EXPECT_EQ(json["total"], 5);
  EXPECT_EQ(json["violations"].size(), 5u);
  for (const Json& violation : json["violations"]) {
    EXPECT_EQ(violation["file"], path());
    EXPECT_TRUE(violation["offset"].is_number_unsigned());
    for (const char* part : {"rule", "what", "expected", "got"})
      EXPECT_NE(violation[part], "") << violation;
  }
}

TEST_F(Inspect, ABadFileIsOneClearLineOnStderr) {
  write_file(path(), test::Bytes().raw("<!DOCTYPE html><title>404</title>"));
  const ProgramResult result = inspect({});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "hearth: " + path() +
                            ": this is not a GGUF file; expected the bytes 'GGUF' at the start, "
                            "got a web page; the download went wrong\n");
}

TEST_F(Inspect, TakesTheFileWithOrWithoutItsOption) {
  EXPECT_EQ(run_hearth({"inspect", path(), "--check"}).exit_code, 0);
  EXPECT_EQ(run_hearth({"inspect", path(), "-m", path()}).exit_code, 2);
  EXPECT_EQ(run_hearth({"inspect", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(run_hearth({"inspect", "-m", (dir_ / "missing.gguf").string()}).exit_code, 1);
}

}  // namespace
}  // namespace hearth
