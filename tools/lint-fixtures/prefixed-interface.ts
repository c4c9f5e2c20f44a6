// breaks: @typescript-eslint/naming-convention | IClock
export interface IClock {
  now(): Date;
}
