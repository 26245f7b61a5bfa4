#include "kernels/scalar/install.h"

#include "kernels/scalar/attention.h"
#include "kernels/scalar/ceilings.h"
#include "kernels/scalar/dequantize.h"
#include "kernels/scalar/matmul.h"
#include "kernels/scalar/quantize.h"
#include "kernels/scalar/quantize_strip.h"
#include "kernels/scalar/rows.h"
#include "kernels/scalar/vectors.h"

namespace hearth::kernels {
namespace {

struct DequantizeSlot {
  QuantType type;
  DequantizeRow function;
};

constexpr DequantizeSlot kDequantize[] = {
    {QuantType::F32, scalar::dequantize_row_f32},
    {QuantType::F16, scalar::dequantize_row_f16},
    {QuantType::BF16, scalar::dequantize_row_bf16},
    {QuantType::Q4_0, scalar::dequantize_row_q4_0},
    {QuantType::Q4_1, scalar::dequantize_row_q4_1},
    {QuantType::Q5_0, scalar::dequantize_row_q5_0},
    {QuantType::Q5_1, scalar::dequantize_row_q5_1},
    {QuantType::Q8_0, scalar::dequantize_row_q8_0},
    {QuantType::Q2_K, scalar::dequantize_row_q2_k},
    {QuantType::Q3_K, scalar::dequantize_row_q3_k},
    {QuantType::Q4_K, scalar::dequantize_row_q4_k},
    {QuantType::Q5_K, scalar::dequantize_row_q5_k},
    {QuantType::Q6_K, scalar::dequantize_row_q6_k},
    {QuantType::IQ4_NL, scalar::dequantize_row_iq4_nl},
    {QuantType::IQ4_XS, scalar::dequantize_row_iq4_xs},
    {QuantType::MXFP4, scalar::dequantize_row_mxfp4},
};

struct QuantizeSlot {
  QuantType type;
  QuantizeRow function;
};

constexpr QuantizeSlot kQuantize[] = {
    {QuantType::F32, scalar::quantize_row_f32},
    {QuantType::F16, scalar::quantize_row_f16},
    {QuantType::BF16, scalar::quantize_row_bf16},
    {QuantType::Q4_0, scalar::quantize_row_q4_0},
    {QuantType::Q4_1, scalar::quantize_row_q4_1},
    {QuantType::Q5_0, scalar::quantize_row_q5_0},
    {QuantType::Q5_1, scalar::quantize_row_q5_1},
    {QuantType::Q8_0, scalar::quantize_row_q8_0},
    {QuantType::Q2_K, scalar::quantize_row_q2_k},
    {QuantType::Q3_K, scalar::quantize_row_q3_k},
    {QuantType::Q4_K, scalar::quantize_row_q4_k},
    {QuantType::Q5_K, scalar::quantize_row_q5_k},
    {QuantType::Q6_K, scalar::quantize_row_q6_k},
    {QuantType::IQ4_NL, scalar::quantize_row_iq4_nl},
    {QuantType::IQ4_XS, scalar::quantize_row_iq4_xs},
    {QuantType::MXFP4, scalar::quantize_row_mxfp4},
};

struct MatmulSlot {
  QuantType type;
  MatmulKernel kernel;
};

constexpr MatmulSlot kMatmul[] = {
    {QuantType::F32, {1, StripKind::f32, scalar::multiply_float<QuantType::F32>}},
    {QuantType::F16, {1, StripKind::f32, scalar::multiply_float<QuantType::F16>}},
    {QuantType::BF16, {1, StripKind::bf16, scalar::multiply_bf16}},
    {QuantType::Q4_0, {1, StripKind::q8_32, scalar::multiply<QuantType::Q4_0>}},
    {QuantType::Q4_1, {1, StripKind::q8_32, scalar::multiply<QuantType::Q4_1>}},
    {QuantType::Q5_0, {1, StripKind::q8_32, scalar::multiply<QuantType::Q5_0>}},
    {QuantType::Q5_1, {1, StripKind::q8_32, scalar::multiply<QuantType::Q5_1>}},
    {QuantType::Q8_0, {1, StripKind::q8_32, scalar::multiply<QuantType::Q8_0>}},
    {QuantType::Q2_K, {1, StripKind::q8_128, scalar::multiply<QuantType::Q2_K>}},
    {QuantType::Q3_K, {1, StripKind::q8_128, scalar::multiply<QuantType::Q3_K>}},
    {QuantType::Q4_K, {1, StripKind::q8_128, scalar::multiply<QuantType::Q4_K>}},
    {QuantType::Q5_K, {1, StripKind::q8_128, scalar::multiply<QuantType::Q5_K>}},
    {QuantType::Q6_K, {1, StripKind::q8_128, scalar::multiply<QuantType::Q6_K>}},
    {QuantType::IQ4_NL, {1, StripKind::q8_32, scalar::multiply<QuantType::IQ4_NL>}},
    {QuantType::IQ4_XS, {1, StripKind::q8_128, scalar::multiply<QuantType::IQ4_XS>}},
    {QuantType::MXFP4, {1, StripKind::q8_32, scalar::multiply<QuantType::MXFP4>}},
};

struct FillStripSlot {
  StripKind kind;
  FillStrip function;
};

constexpr FillStripSlot kFillStrip[] = {
    {StripKind::f32, scalar::fill_strip_f32},
    {StripKind::bf16, scalar::fill_strip_bf16},
    {StripKind::q8_32, scalar::fill_strip_q8_32},
    {StripKind::q8_128, scalar::fill_strip_q8_128},
    {StripKind::q8_128_wide, scalar::fill_strip_q8_128},
};

}  // namespace

void install_scalar(KernelTable& table) {
  for (const DequantizeSlot& slot : kDequantize) table.dequantize_row[slot.type] = slot.function;
  for (const QuantizeSlot& slot : kQuantize) table.quantize_row[slot.type] = slot.function;
  for (const MatmulSlot& slot : kMatmul) table.matmul[slot.type] = slot.kernel;
  for (const FillStripSlot& slot : kFillStrip) table.fill_strip[slot.kind] = slot.function;
  table.rows = scalar::row_kernels();
  scalar::install_ceilings(table);
  table.attention = scalar::attention_kernels();
  table.vectors = scalar::vector_kernels();
}

}  // namespace hearth::kernels
