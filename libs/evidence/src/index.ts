export {
  canonicalEvidence,
  type CanonicalEvidence,
  type DeviceEvidence,
  type EntraEvidence,
  type EntraProof,
  type EvidenceContent,
  type EvidencePerson,
  type LoginProof,
} from './evidence.ts';
export { verifyEvidence, type EvidenceVerdict } from './verify-evidence.ts';
