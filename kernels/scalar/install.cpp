#include "kernels/scalar/install.h"

#include "kernels/scalar/dequantize.h"
#include "kernels/scalar/quantize.h"

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

}  // namespace

void install_scalar(KernelTable& table) {
  for (const DequantizeSlot& slot : kDequantize) table.dequantize_row[slot.type] = slot.function;
  for (const QuantizeSlot& slot : kQuantize) table.quantize_row[slot.type] = slot.function;
}

}  // namespace hearth::kernels
