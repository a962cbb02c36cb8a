"""Which operators a graph may hold, and why not the others."""

RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
CONTROL = frozenset({"If", "Loop", "Scan", "SequenceMap"})
SIZES_OF_VALUES = frozenset({"Compress", "NonMaxSuppression", "NonZero", "Unique"})
"""How large their results are depends on the numbers in them."""
WEIGHTED = frozenset(
    {
        "BatchNormalization",
        "Conv",
        "ConvTranspose",
        "GRU",
        "Gemm",
        "GroupNormalization",
        "InstanceNormalization",
        "LSTM",
        "LayerNormalization",
        "MatMul",
        "PRelu",
        "RNN",
    }
)
"""Those with weights that are numbers: in others NaN and the infinities mean something."""
_EACH = """
Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
Cast CastLike Ceil Celu Clip Cos Cosh DequantizeLinear Div DynamicQuantizeLinear Elu Equal Erf Exp
Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less
LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QuantizeLinear Reciprocal Relu Round
Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Tan Tanh ThresholdedRelu Where Xor
"""
_SHAPES = """
CenterCropPad Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather
GatherElements GatherND OneHot Pad Range Reshape ReverseSequence ScatterElements ScatterND Shape
Size Slice SpaceToDepth Split Squeeze Tile TopK Transpose Trilu Unsqueeze
"""
_ALONG = """
ArgMax ArgMin CumSum Hardmax LogSoftmax LpNormalization MeanVarianceNormalization ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
Softmax
"""
_LAYERS = """
AveragePool BatchNormalization Conv ConvInteger ConvTranspose Dropout Einsum GRU Gemm
GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization InstanceNormalization LRN LSTM
LayerNormalization LpPool MatMul MatMulInteger MaxPool QLinearConv QLinearMatMul RNN Resize
"""
ALLOWED = frozenset(" ".join((_EACH, _SHAPES, _ALONG, _LAYERS)).split())
"""Of the main domain.  What is not among them has work or memory that the sizes of its results do not tell,
or takes and gives what is no tensor of numbers."""
TREES = "TreeEnsemble"
"""The one of ``ai.onnx.ml``."""
MACHINE_LEARNING = "ai.onnx.ml"
