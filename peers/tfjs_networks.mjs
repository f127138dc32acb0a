/** The networks in tfjs's layers: only those that it is compared by. Images are channels last, as tfjs wants them. */

export const networks = { vgg16, resnet50, small_cnn };

function vgg16(tf, { classes, input }) {
  const { conv2d, maxPooling2d, flatten, dense } = tf.layers;
  const relu = { activation: "relu" };
  const conv = (filters) => conv2d({ filters, kernelSize: 3, padding: "same", ...relu });
  return tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: channelsLast(input) }),
      ...[[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]].flatMap((block) => [
        ...block.map(conv),
        maxPooling2d({ poolSize: 2, strides: 2 }),
      ]),
      flatten(),
      dense({ units: 4096, ...relu }),
      dense({ units: 4096, ...relu }),
      dense({ units: classes }),
    ],
  });
}

function resnet50(tf, { classes, input }) {
  const {
    conv2d,
    batchNormalization,
    reLU,
    add,
    zeroPadding2d,
    maxPooling2d,
    globalAveragePooling2d,
    dense,
  } = tf.layers;
  const pad = (x, padding) => zeroPadding2d({ padding }).apply(x);
  const convBn = (x, filters, kernelSize, strides = 1) => {
    // PyTorch pads alike on both sides; tfjs's "same" does not where the stride is 2.
    const padded = kernelSize > 1 ? pad(x, (kernelSize - 1) / 2) : x;
    const y = conv2d({ filters, kernelSize, strides, padding: "valid", useBias: false }).apply(padded);
    return batchNormalization().apply(y);
  };
  const relu = (x) => reLU().apply(x);
  const bottleneck = (x, width, stride, project) => {
    const y = relu(convBn(relu(convBn(x, width, 1)), width, 3, stride));
    return relu(add().apply([convBn(y, 4 * width, 1), project ? convBn(x, 4 * width, 1, stride) : x]));
  };

  const images = tf.input({ shape: channelsLast(input) });
  let x = relu(convBn(images, 64, 7, 2));
  x = maxPooling2d({ poolSize: 3, strides: 2 }).apply(pad(x, 1));
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      x = bottleneck(x, 64 << stage, block === 0 && stage > 0 ? 2 : 1, block === 0);
    }
  }
  const scores = dense({ units: classes }).apply(globalAveragePooling2d({}).apply(x));
  return tf.model({ inputs: images, outputs: scores });
}

/** As in networks.ts. */
function small_cnn(tf, { classes, input }) {
  const { conv2d, maxPooling2d, flatten, dense } = tf.layers;
  const conv = (filters) => conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu" });
  const halve = () => maxPooling2d({ poolSize: 2, strides: 2 });
  return tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: channelsLast(input) }),
      ...[conv(8), halve(), conv(16), halve()],
      ...[flatten(), dense({ units: classes })],
    ],
  });
}

function channelsLast([channels, height, width]) {
  return [height, width, channels];
}
