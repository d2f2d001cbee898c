// A microphone or a camera -> pieces of sound and pictures while it runs, and a file when it is stopped.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const WIDEST = 640; // pixels of a picture that is sent

// Ask for a microphone, or for a camera and its microphone.
export const open = (camera) => navigator.mediaDevices.getUserMedia(
  { audio: RAW, video: camera ? { width: 640, height: 480 } : false });

// Give pieces of a device's sound (Float32Array, one channel) to `take`; returns { rate, stop() }.
export async function listen(device, take) {
  const context = new AudioContext();
  await context.audioWorklet.addModule("capture.js");
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  node.port.onmessage = (message) => take(message.data);
  context.createMediaStreamSource(device).connect(node);
  await context.resume();
  return {
    rate: context.sampleRate,
    async stop() {
      node.port.onmessage = null;
      await context.close();
    },
  };
}

// Give what `video` shows to `take(JPEG, when)`, `hz` times a second at most, and never while it still takes;
// returns a function that ends it.
export function look(video, hz, take) {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, WIDEST / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const brush = canvas.getContext("2d");
  let over = false;
  (async () => {
    while (!over) {
      const when = performance.now();
      brush.drawImage(video, 0, 0, canvas.width, canvas.height);
      const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
      const bytes = await picture.arrayBuffer();
      if (!over) await take(bytes, when);
      await new Promise((resolve) => setTimeout(resolve, when + 1000 / hz - performance.now()));
    }
  })();
  return () => { over = true; };
}

// Record a device; `stop()` returns a File.
export function film(device) {
  const pieces = [];
  const recorder = new MediaRecorder(device);
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.start(1000);
  return {
    stop: () => new Promise((resolve) => {
      recorder.onstop = () => {
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
