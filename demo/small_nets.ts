/** Networks so small that they learn the digits while one watches; and how one's own is written. */
import * as nn from "../core/nn/mod.ts";

export class SmallNet extends nn.Module {
  conv1 = new nn.Conv2d(3, 16, 3, { stride: 2, padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(16);
  conv2 = new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1, bias: false });
  bn2 = new nn.BatchNorm2d(32);
  fc = new nn.Linear(32 * 4 * 4, 10);

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    x = nn.relu(this.bn2.forward(this.conv2.forward(x)));
    return this.fc.forward(nn.flatten(nn.maxPool2d(x, 2)));
  }
}

/** A single layer: each class has a weight for each pixel. */
export class Linear extends nn.Module {
  fc = new nn.Linear(3 * 32 * 32, 10);

  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(x));
  }
}
