/** A number from a query, or null if it is not whole or is above `max`. */
export function wholeNumber(text: string, max: number): number | null {
  const value = Number(text)
  return /^\d{1,15}$/.test(text) && value <= max ? value : null
}
