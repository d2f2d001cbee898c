// A microphone or a camera -> pieces of sound while it runs, and a file when it is stopped.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// Give pieces (Float32Array, one channel) to `take`; returns { rate, stop() }.
export async function listen(take) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
  const context = new AudioContext();
  await context.audioWorklet.addModule("capture.js");
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  node.port.onmessage = (message) => take(message.data);
  context.createMediaStreamSource(stream).connect(node);
  await context.resume();
  return {
    rate: context.sampleRate,
    async stop() {
      stream.getTracks().forEach((track) => track.stop());
      node.port.onmessage = null;
      await context.close();
    },
  };
}

// Record what a camera sees and hears, shown in `preview`; `stop()` returns a File.
export async function film(preview) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: RAW, video: { width: 640, height: 480 } });
  preview.srcObject = stream;
  preview.hidden = false;
  await preview.play();
  const pieces = [];
  const recorder = new MediaRecorder(stream);
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.start(1000);
  return {
    stop: () => new Promise((resolve) => {
      recorder.onstop = () => {
        stream.getTracks().forEach((track) => track.stop());
        preview.srcObject = null;
        preview.hidden = true;
        const kind = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
        resolve(new File(pieces, `camera.${kind}`, { type: recorder.mimeType }));
      };
      recorder.stop();
    }),
  };
}

// Pieces of sound as a wav of 16 bits.
export function wav(pieces, rate) {
  const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * count, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), true);
      at += 2;
    }
  }
  return new File([view], "microphone.wav", { type: "audio/wav" });
}
